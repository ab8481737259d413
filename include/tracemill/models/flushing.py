"""Stores the answers of one shard while it is asked, in parts neither too small nor too late."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from tracemill.models.request import Reply
from tracemill.models.samples import SampleStore

FLUSH_SHARE = 8  # a part is written when an eighth of the asks in flight wait for it ...
FLUSH_SECONDS = 1.0  # ... or when the first of them has waited that long


class Flushing:
    """At most `concurrency` asks hold one of the `slots`; an answered one lets go of its slot once it is stored.

    So whatever kills this task, no more than `concurrency` answers are ever paid for twice. `near` names the shard,
    `before` is called before each part: what its answers cost is written first.
    """

    def __init__(self, samples: SampleStore, near: str, concurrency: int) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        self._samples = samples
        self._near = near
        self.before: Callable[[], object] = lambda: None
        self._concurrency = concurrency
        self._waiting: dict[str, Reply] = {}
        self._wake = asyncio.Event()
        self._storing = threading.Lock()

    def add(self, key: str, reply: Reply) -> None:
        """Have this answer stored soon."""
        self._waiting[key] = reply
        self._wake.set()

    async def write_parts(self, more_come: Callable[[], bool]) -> None:
        """Store what waits, for ever; a part is filled up while `more_come`."""
        enough = max(1, self._concurrency // FLUSH_SHARE)
        while True:
            await self._wake.wait()
            due = time.monotonic() + FLUSH_SECONDS
            while len(self._waiting) < enough and more_come() and time.monotonic() < due:
                await asyncio.sleep(FLUSH_SECONDS / 20)
            self._wake.clear()
            for _ in range(await asyncio.to_thread(self.store)):
                self.slots.release()

    def store(self) -> int:
        """Store what waits now. Returns how many answers that were."""
        with self._storing:
            part = dict(self._waiting)
            if part:
                self.before()
                self._samples.add(part, self._near)
            for key in part:
                del self._waiting[key]
            return len(part)
