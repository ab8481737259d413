"""Measures for how long a model server holds its devices and for how much of that it has work, and writes it down."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from tracemill.engine.objects import ObjectStore
from tracemill.errors import StoreError
from tracemill.models.costs import ServerLife, write
from tracemill.models.lease import BEAT
from tracemill.models.server.metrics import Gauges, Loaded

LOOK = 1.0  # seconds between two looks whether it works: half of one is missed, or added, when work begins or ends
_log = logging.getLogger(__name__)


class Meter:
    """The record of one server's life, written every `beat` seconds from before its start until after its end.

    For `with`, around the server. A stretch between two looks counts as busy by its ends: whole, or half where there
    was work at one of them alone, or in between.
    """

    def __init__(
        self, store: ObjectStore, life: ServerLife, server: Loaded, look: float = LOOK, beat: float = BEAT
    ) -> None:
        self.life = life
        self._store = store
        self._server = server
        self._look = look
        self._beat = beat
        self._began = self._at = time.monotonic()
        self._last = Gauges()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"meter {life.models[0]}", daemon=True)

    def __enter__(self) -> Meter:
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._write(ended=True)

    def note(self, latest: Gauges | None, now: float) -> None:
        """Take one reading; while a server does not answer nothing is known, and the next one that it gives counts for
        the whole time.
        """
        if latest is None:
            return
        worked = (latest.prompted, latest.generated) != (self._last.prompted, self._last.generated)
        ends = (self._last.busy, latest.busy)
        share = 1.0 if all(ends) else 0.5 if any(ends) or worked else 0.0
        self.life = self.life.model_copy(
            update={
                "busy": self.life.busy + share * (now - self._at),
                "prompted": latest.prompted,
                "generated": latest.generated,
                "reading": latest.reading,
                "writing": latest.writing,
            }
        )
        self._last = latest
        self._at = now

    def _watch(self) -> None:
        due = time.monotonic() + self._beat
        while not self._over.wait(min(self._look, self._beat)):
            latest = self._server.gauges()
            now = time.monotonic()
            self.note(latest, now)
            if now >= due:
                due = now + self._beat
                self._write()

    def _write(self, ended: bool = False) -> None:
        seen = self.life.began + time.monotonic() - self._began
        self.life = self.life.model_copy(update={"seen": seen, "ended": ended})
        try:
            write(self._store, self.life)
        except StoreError as error:
            _log.warning("what the server holds could not be written, it is tried again: %s", error)
