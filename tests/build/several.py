"""Several fake model servers at once, as a recipe that asks several models needs them, and the rows of its run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tracemill.engine.resources import Resources
from tracemill.engine.runner import shard_count
from tracemill.local.run import Run
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.transport import Response


@dataclass(frozen=True)
class Servers:
    """Several fake servers, each with a host name of its own: that of the model."""

    by_host: Mapping[str, FakeServer]

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        return await self.by_host[urlsplit(url).netloc].post(url, body, headers, heard)

    async def get(self, url: str, headers: Mapping[str, str]) -> Response:
        return await self.by_host[urlsplit(url).netloc].get(url, headers)

    @property
    def asked(self) -> int:
        """How many requests all of them have had."""
        return sum(len(server.requests) for server in self.by_host.values())

    def machine(self) -> Resources:
        """A machine on which these models answer already."""
        at = {name: [{"url": f"http://{name}", "model": name}] for name in self.by_host}
        return Resources(workers=1, environment={ENDPOINTS: json.dumps(at)}, transport=self)


def rows(run: Run, step: str, table: str) -> list[dict[str, Any]]:
    """A step's table over all shards."""
    found = (run.store.manifest(step, shard) for shard in range(shard_count(run.store)))
    return [row for m in found if m for row in run.store.get_table(m.tables[table]).to_pylist()]
