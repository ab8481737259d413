"""Says now and then how far long work is, and when it will end."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 15.0  # seconds between two words


class Progress:
    """Counts what is done of `total`, and tells it every so many seconds, with the time that is left."""

    def __init__(self, what: str, total: int, tell: Callable[[str], None], every: float = EVERY) -> None:
        self._what = what
        self._total = total
        self._tell = tell
        self._every = every
        self._done = 0
        self._began = time.monotonic()
        self._said = self._began

    def add(self, more: int, about: str = "") -> None:
        """So many more are done; `about` is said beside it."""
        self._done += more
        now = time.monotonic()
        if now - self._said < self._every or self._done >= self._total:
            return
        self._said = now
        left = (self._total - self._done) * (now - self._began) / self._done
        self._tell(f"{self._what}: {self._done:,} of {self._total:,}{about}, {spoken(left)} left")


def spoken(seconds: float) -> str:
    """A span of time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
