"""Several fake model servers, each with a host name of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tracemill.models.fake import FakeServer
from tracemill.models.transport import Response


@dataclass(frozen=True)
class Servers:
    """Several fake servers, each with a host name of its own."""

    by_host: Mapping[str, FakeServer]

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        return await self.by_host[urlsplit(url).netloc].post(url, body, headers, heard)

    async def get(self, url: str, headers: Mapping[str, str]) -> Response:
        return await self.by_host[urlsplit(url).netloc].get(url, headers)
