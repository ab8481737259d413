"""Holds back requests to one server: for as long as it asks (429), and never more at once than it takes.

A refusal for rate is everybody's business: the first 429 stops all requests to that address until its Retry-After is
over, and halves how many may be in flight; each answer lets the number grow again by the reciprocal of itself, as TCP
does (additive increase, multiplicative decrease).
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_WAIT = 5.0  # seconds, for a 429 that names none
LONGEST_WAIT = 3600.0  # seconds; a server that names more is asked again after an hour


@dataclass
class Pace:
    """How fast one address may be asked just now. `window` is how many requests may be in flight; None: any number."""

    window: float | None = None
    not_before: float = 0.0

    def is_open(self, in_flight: int, now: float) -> bool:
        """Whether one more request may be sent."""
        return now >= self.not_before and (self.window is None or in_flight < max(1, int(self.window)))

    def throttled(self, wait: float | None, in_flight: int, now: float) -> None:
        """Note a 429: nothing before `wait` seconds are over, and half as many afterwards. One burst counts once."""
        if now >= self.not_before:
            self.window = max(1.0, min(self.window or in_flight, in_flight) / 2)
        pause = min(LONGEST_WAIT, DEFAULT_WAIT if wait is None else wait)
        self.not_before = max(self.not_before, now + pause)

    def answered(self) -> None:
        """Note an answer: the window grows by one when all that was in flight has been answered."""
        if self.window is not None:
            self.window += 1 / max(1.0, self.window)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header names (a number or a date), or None."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    named = headers.get("retry-after")
    if named is None:
        return None
    seconds = _number(named)
    if seconds is not None:
        return seconds
    parsed = email.utils.parsedate_tz(named)
    return max(0.0, email.utils.mktime_tz(parsed) - time.time()) if parsed else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


@dataclass
class Rate:
    """So much a minute, with a burst of a sixth of it at most; `share` of it is this client's.

    What is taken may overdraw it (nobody knows an answer's tokens beforehand); then nothing is open until it is
    refilled.
    """

    per_minute: float
    share: float = 1.0
    _level: float | None = None
    _at: float = 0.0

    def is_open(self, now: float) -> bool:
        """Whether anything may be taken now."""
        self._refill(now)
        return (self._level or 0.0) > 0

    def take(self, amount: float, now: float) -> None:
        """Take that much."""
        self._refill(now)
        self._level = (self._level or 0.0) - amount

    def _refill(self, now: float) -> None:
        most = max(1.0, self.per_minute * self.share / 6)
        if self._level is None:
            self._level = most
            self._at = now
        elapsed = max(0.0, now - self._at)
        self._level = min(most, self._level + elapsed * self.per_minute * self.share / 60)
        self._at = now
