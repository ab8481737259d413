"""The requests of one client on their way to servers, and what ends them early: that their server is there no more.

No request has a time-out over its whole answer. One to a server of the run lives while its lease does (the serve task
ends an engine that makes no token); one to an endpoint that was named beforehand while anything comes from it within
`silence` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from tracemill.models.endpoints import Endpoint
from tracemill.models.fleet import LOOK_EVERY, Fleet
from tracemill.models.wire import ServerFault


class NotOffered(Exception):
    """The server has no such route."""


@dataclass(eq=False)
class Flight:
    """A request on its way: when it went, when its server was last heard of on it, and what ends it early.

    `pieces` came of a streamed answer so far, of a token each or more. `is_shaped`: the answer is to keep to a schema.
    """

    endpoint: Endpoint
    limit: asyncio.Timeout
    began: float = field(default_factory=time.monotonic)
    heard: float | None = None
    pieces: int = 0
    is_shaped: bool = False
    is_ended: bool = False


class Flights:
    """All requests of one client. `heard`: when anything was last heard of any server. `failure`: what ended the watch,
    without which a request would live for ever; it ends them all.
    """

    def __init__(self, fleet: Fleet, silence: float) -> None:
        self.fleet = fleet
        self._silence = silence
        self.heard = time.monotonic()
        self.failure: BaseException | None = None
        self._flying: set[Flight] = set()

    @contextlib.asynccontextmanager
    async def flying(self, endpoint: Endpoint) -> AsyncIterator[Flight]:
        """A request on its way, which ends when its server does. Raises ServerFault then."""
        self.fleet.busy[endpoint.url] += 1
        flight = Flight(endpoint, asyncio.timeout(None))
        self._flying.add(flight)
        try:
            async with flight.limit:
                yield flight
        except TimeoutError as error:
            raise ServerFault(f"{endpoint.url} was not heard of any more") from error
        finally:
            self._flying.discard(flight)
            self.fleet.busy[endpoint.url] -= 1

    def hear(self, flight: Flight) -> None:
        """Note that a piece of an answer came."""
        flight.heard = self.heard = time.monotonic()
        flight.pieces += 1

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look after them while the block runs."""
        watch = asyncio.create_task(self._watch())
        watch.add_done_callback(self._watch_ended)
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        """Look which servers live, and end the requests to those that do not; they are asked elsewhere."""
        while True:
            await asyncio.sleep(min(LOOK_EVERY, self._silence / 4))
            await asyncio.to_thread(self.fleet.refresh)
            _end([flight for flight in self._flying if not self._lives(flight)])

    def _lives(self, flight: Flight) -> bool:
        if not self.fleet.is_fixed:
            alive = any(one.url == flight.endpoint.url for one in self.fleet.endpoints)
            self.heard = time.monotonic() if alive else self.heard
            return alive
        last = flight.heard or max(flight.began, self.heard)
        return time.monotonic() - last < self._silence

    def _watch_ended(self, watch: asyncio.Task[None]) -> None:
        if not watch.cancelled() and watch.exception() is not None:
            self.failure = watch.exception()
            _end(list(self._flying))


def _end(flights: Iterable[Flight]) -> None:
    """End these requests; they are asked elsewhere."""
    now = asyncio.get_running_loop().time()
    for flight in flights:
        if not flight.is_ended:  # one that is ending already cannot be told again
            flight.is_ended = True
            flight.limit.reschedule(now)
