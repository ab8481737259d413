"""Whose turn it is for a place in which a model is served: who is asked ahead comes after those whose turn it is."""

from __future__ import annotations

import time
from collections.abc import Collection

from tracemill.engine.objects import ObjectStore
from tracemill.models.costs import ServerLife, lives
from tracemill.models.lease import STALE, wanted


class Turn:
    """Waits until each model of `after` has its place, or nobody waits for it. Remembers which servers have gone."""

    def __init__(self, store: ObjectStore, after: Collection[str]) -> None:
        self._store = store
        self._after = tuple(after)
        self._gone: dict[str, ServerLife] = {}

    def has_come(self) -> bool:
        """Whether a place may be asked for: it is then taken from none of them. Raises StoreError."""
        waiting = {model for model in self._after if wanted(self._store, model)}
        if not waiting:
            return True
        found = lives(self._store, self._gone)
        self._gone |= {life.key: life for life in found if life.ended}
        now = time.time()
        placed = {model for life in found if not life.ended and now - life.seen < STALE for model in life.models}
        return waiting <= placed
