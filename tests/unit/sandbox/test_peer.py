"""The conversation between tests and program when one side is gone: nothing that a test can catch, whenever it went."""

from __future__ import annotations

import os
import socket

import pytest

from tracemill.sandbox.worker.peer import Peer, PeerGone


@pytest.mark.parametrize("began", [False, True], ids=["gone before the first question", "gone after it"])
def test_a_side_that_is_gone_is_no_ordinary_error(began: bool) -> None:
    """Trap: a write failed with BrokenPipeError, the import of a test file caught it, and a program that crashed was
    "wrong" instead: which of the two depended on whose process was quicker."""
    ours, theirs = socket.socketpair()
    told: list[str] = []
    peer = Peer(ours.detach(), guarded=True, serve_name=lambda what, arguments: None)
    peer.bereft = lambda: told.append("gone")
    if began:
        theirs.shutdown(socket.SHUT_WR)
    else:
        theirs.close()
    with pytest.raises(PeerGone):
        peer.request("name", "solve")
    assert told == ["gone"]
    os.close(peer._fd)
    theirs.close()
