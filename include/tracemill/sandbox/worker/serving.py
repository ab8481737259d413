"""Runs a program as a server of its own functions and classes, for tests that live in another slot."""

import builtins
import io
import os
import socket
import sys
from typing import Any

from . import child, execution, python
from .peer import Peer, PeerGone
from .relay import Relay


def _captured() -> str:
    stream = sys.stdout
    if not isinstance(stream, io.StringIO):
        return ""
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


def _main(program: python.Program, fd: int) -> None:
    module = program.module("solution")
    program.confine_calls()
    sys.stdout = io.StringIO()

    def name(what: str, arguments: list[Any]) -> Any:
        if what == "names":
            public = getattr(module, "__all__", None)
            return list(public) if public is not None else [key for key in vars(module) if not key.startswith("_")]
        return getattr(module, arguments[0])

    peer = Peer(fd, guarded=False, serve_name=name)
    peer.output = _captured
    builtins.input = lambda prompt="": peer.request("input", prompt)
    try:
        exec(program.code, module.__dict__)
        peer.answer_forever()
    except PeerGone:
        os._exit(0)


def serve(program: python.Program) -> tuple[dict[str, Any], bytes]:
    """Serve the program until the supervisor ends the conversation; returns the report and stderr's tail."""
    oom = execution.oom_kills(program.jail)
    theirs, ours = socket.socketpair()
    fd = theirs.detach()
    standard = (execution.memfd(), execution.memfd(), execution.memfd())
    pid = execution.fork_confined(
        program.jail, program.limits, fd + 1, standard, 64, lambda: child.run(_main, program, fd)
    )
    os.close(fd)
    relay = Relay(ours, busy=False, each=program.limits["each"])
    report = execution.outcome(program.jail, pid, program.limits["idle"], oom, relay.wait)
    report["sizes"] = [execution.read_output(standard[1], 0)[0]]
    report["lengths"] = [0]
    return python.with_errors(report, [], standard[2], None, list(standard))
