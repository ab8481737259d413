"""Decides when it is a request itself that a server cannot bear, and not the world: its row is then given up, named.

Two ways to be poison. The server answers with an error each time, and answers others meanwhile. Or the server dies each
time: those that flew when it died twice are asked again one at a time, so that the third death names the one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tracemill.models.wire import ServerFault

TRIES = 5  # errors of a living server, at least, before a request is poison
CHANCE = 1e-4  # how likely it may at most be that a request met only errors at the rate at which others meet them
DEATHS = 3  # deaths of a server, on as many lives but one, before a request is poison
SUSPECT = 2  # deaths after which a request is asked alone
_FIRST_PAUSE = 0.25  # seconds
_LONGEST_PAUSE = 10.0


@dataclass
class Trouble:
    """What one request met so far. `answered_before` and `failed_before`: answers and errors of all when it
    was first asked."""

    answered_before: int
    failed_before: int = 0
    errors: int = 0
    deaths: int = 0
    lives: set[str] = field(default_factory=set)
    last: ServerFault | None = None
    _pauses: int = 0

    @property
    def tries(self) -> int:
        """How often a server failed on it."""
        return self.errors + self.deaths

    @property
    def is_suspect(self) -> bool:
        """Whether it flew when a server died, more than once: it is asked alone from now on."""
        return self.deaths >= SUSPECT

    def note(self, fault: ServerFault, life: str) -> None:
        """Note one fault. Being asked to wait says nothing about the request; nor does a lost connection to a server
        whose lives nobody knows (`life` ""): proxies close connections, too.
        """
        self.last = fault
        if fault.throttled:
            return
        self._pauses += 1
        if fault.alive:
            self.errors += 1
        elif life and life not in self.lives:
            self.deaths += 1
            self.lives.add(life)

    def is_poison(self, answered: int, failed: int) -> bool:
        """Whether the row may be given up, if the server answers others: not where they, too, meet errors so often."""
        if self.deaths >= DEATHS:
            return True
        others = max(0, failed - self.failed_before - self.errors)
        rate = others / max(1, others + answered - self.answered_before)
        return self.errors >= TRIES and rate**self.errors <= CHANCE

    def pause(self) -> float:
        """Seconds until the next try: doubled each time, with chance so that many do not come back at once."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._pauses - 1, 10))
        return random.uniform(longest / 2, longest) if self._pauses else 0.0
