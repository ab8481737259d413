"""Estimates what a server had generated of an answer that nobody waited for, from those that came."""

from __future__ import annotations

from dataclasses import dataclass

from tracemill.models.request import Ask, Reply


@dataclass
class Speed:
    """Tokens and seconds of the answers so far, queue included."""

    _tokens: int = 0
    _seconds: float = 0.0

    def note(self, reply: Reply) -> None:
        """Count one answer."""
        if reply.completion_tokens and reply.seconds:
            self._tokens += reply.completion_tokens
            self._seconds += reply.seconds

    def tokens(self, seconds: float, ask: Ask) -> int:
        """About so many in that time; 0 while nobody knows."""
        likely = int(seconds * self._tokens / self._seconds) if self._seconds else 0
        most = ask.body.get("max_tokens")
        return likely if most is None else min(likely, int(most))
