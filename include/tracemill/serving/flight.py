"""A request on its way to a server, and what ends it early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tracemill.serving.endpoints import Endpoint


class NotOffered(Exception):
    """The server has no such route."""


@dataclass(eq=False)
class Flight:
    """A request on its way: when it went, when its server was last heard of on it, and what ends it early.

    `pieces` came of a streamed answer so far, of a token each or more.
    """

    endpoint: Endpoint
    limit: asyncio.Timeout
    began: float = field(default_factory=time.monotonic)
    heard: float | None = None
    pieces: int = 0
    is_ended: bool = False


def ended(flights: Iterable[Flight]) -> None:
    """End these requests; they are asked elsewhere."""
    now = asyncio.get_running_loop().time()
    for flight in flights:
        if not flight.is_ended:  # one that is ending already cannot be told again
            flight.is_ended = True
            flight.limit.reschedule(now)
