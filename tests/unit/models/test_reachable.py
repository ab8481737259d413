"""A server's lease names an address that its clients reach, and one that they cannot reach is refused."""

from __future__ import annotations

import socket

import fsspec
import pytest

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.server.command import HOST, reachable_name, require_reachable

FAR = ObjectStore(fsspec.filesystem("memory"), "memory/store")
NEAR = ObjectStore(fsspec.filesystem("file"), "/store")


@pytest.mark.parametrize(
    ("host", "address", "wanted"),
    [
        pytest.param("10.0.0.7", "10.0.0.9", "10.0.0.7", id="the one that was named"),
        pytest.param("gpu-1", "10.0.0.9", "gpu-1", id="a name"),
        pytest.param("0.0.0.0", "10.0.0.9", "10.0.0.9", id="everywhere: the container's address, not its name"),
        pytest.param("0.0.0.0", "127.0.1.1", "gpu-1.lab", id="a name that Debian gives to the loopback"),
        pytest.param("0.0.0.0", None, "gpu-1.lab", id="a name that nobody knows"),
        pytest.param("fe80::1", "10.0.0.9", "[fe80::1]", id="version 6"),
    ],
)
def test_the_lease_names(host: str, address: str | None, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(name: str) -> str:
        if address is None:
            raise socket.gaierror("unknown")
        return address

    monkeypatch.setattr(socket, "gethostbyname", known)
    monkeypatch.setattr(socket, "getfqdn", lambda: "gpu-1.lab")
    assert reachable_name(host) == wanted


@pytest.mark.parametrize("host", [None, "127.0.0.1", "127.0.1.1", "localhost", "::1"])
def test_a_loopback_address_is_refused_for_a_store_elsewhere(host: str | None) -> None:
    machine = Resources(environment={HOST: host} if host else {})
    require_reachable(NEAR, machine)
    with pytest.raises(RecipeError, match=f"set {HOST} to"):
        require_reachable(FAR, machine)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "gpu-1", "::"])
def test_any_other_is_taken(host: str) -> None:
    require_reachable(FAR, Resources(environment={HOST: host}))
