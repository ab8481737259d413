"""Carries requests to servers over HTTP, many at a time; the seam at which a fake server takes the network's place.

aiohttp needs 0.3 to 0.5 ms of processor time for an answer of 32 kB where httpx needed 18 to 33 (measured at 128 to
2,000 requests in flight): its connection pool does not look through all connections for each request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from tracemill.models.payload import decoded
from tracemill.models.streaming import Assembly
from tracemill.models.wire import ServerFault

_PROBES = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))  # seconds, seconds, number
_CONNECT = 30.0  # seconds to a connection; nothing else of a request has a time-out here (see client)


@dataclass(frozen=True)
class Response:
    """What came back: the HTTP status, the headers with small letters, and the body as data (text if it is no JSON)."""

    status: int
    headers: Mapping[str, str]
    data: Any


class Transport(Protocol):
    """Sends one request and returns the whole response. Raises ServerFault when the connection fails.

    `heard` is called for every piece of a streamed answer: a sign that the server works on this very request.
    """

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response: ...

    async def get(self, url: str, headers: Mapping[str, str]) -> Response: ...


class HttpTransport:
    """The network. For `async with`; one for each event loop. `proxies`: those of the environment are used."""

    def __init__(self, *, proxies: bool = False) -> None:
        import aiohttp  # late: reading a recipe must not load an HTTP library

        self._errors = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, socket_factory=_kept_alive, keepalive_timeout=300),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=None),
            trust_env=proxies,
            auto_decompress=True,
        )

    async def __aenter__(self) -> HttpTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        """One request; a streamed answer is put together to what it would have been in one piece."""
        try:
            async with self._http.post(url, data=body, headers=headers) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                if not found.get("content-type", "").startswith("text/event-stream"):
                    return Response(response.status, found, _read(await response.read()))
                assembly = Assembly()
                async for chunk in response.content.iter_any():
                    assembly.feed(chunk)
                    heard()
                return Response(response.status, found, assembly.whole())
        except self._errors as error:
            raise ServerFault(f"{url}: {type(error).__name__} {error}") from error

    async def get(self, url: str, headers: Mapping[str, str]) -> Response:
        """One look at something short."""
        try:
            async with self._http.get(url, headers=headers) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                return Response(response.status, found, decoded(await response.read()))
        except self._errors as error:
            raise ServerFault(f"{url}: {type(error).__name__} {error}") from error


def _read(body: bytes) -> Any:
    """A body as data; events that came under another content type are put together, too."""
    if not body.lstrip().startswith((b"data:", b":", b"event:")):
        return decoded(body)
    assembly = Assembly()
    assembly.feed(body)
    return assembly.whole()


def _kept_alive(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices within two minutes that the other side is gone, and keeps firewalls from forgetting it."""
    family = address[0]
    kind = address[1]
    protocol = address[2]
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _PROBES:
        made.setsockopt(socket.IPPROTO_TCP, option, value)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
