"""Keeps a server's lease alive in a thread of its own, and notices when the server runs but does no work any more.

In the thread of the serve task the look whether anybody needs the model (thousands of reads of the store, at the start
of a large recipe) would hold the renewal up until the lease counts as dead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from tracemill.engine.objects import ObjectStore
from tracemill.errors import ServingError, StoreError
from tracemill.models.lease import BEAT, Lease, renew, withdraw
from tracemill.models.server.metrics import Gauges, Loaded

SILENCE = 120.0  # seconds without a healthy answer after which a server that still runs counts as broken
FROZEN = 120.0  # seconds without a token, with requests running, after which an engine counts as frozen ...
FIRST_TOKEN = 600.0  # ... and before its first token, while kernels are compiled for the shapes of the first batch
_log = logging.getLogger(__name__)


class Watched(Loaded, Protocol):
    """A server that can be asked how it is."""

    def healthy(self) -> bool:
        """Whether it says that its engine works."""


class Heart:
    """The leases of one server, one a model, renewed every BEAT seconds with its load while it is well. For `with`."""

    def __init__(
        self,
        store: ObjectStore,
        lease: Lease | Sequence[Lease],
        server: Watched,
        beat: float = BEAT,
        frozen: float = FROZEN,
    ) -> None:
        self._store = store
        self._leases = [lease] if isinstance(lease, Lease) else list(lease)
        self._server = server
        self._every = beat
        self._frozen = frozen
        self.gauges = server.gauges() or Gauges()
        self._heard = self._progressed = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {self._leases[0].key}", daemon=True)

    def __enter__(self) -> Heart:
        self._leases = [renew(self._store, lease) for lease in self._leases]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for lease in self._leases:
            withdraw(self._store, lease)

    def check(self, model: str) -> None:
        """Raise ServingError when the server was silent, or its engine stood still, for too long."""
        now = time.monotonic()
        if now - self._heard > SILENCE:
            raise ServingError(f"the server of model {model!r} runs, but was not healthy for {SILENCE:.0f} s")
        patience = self._frozen if self.gauges.generated else FIRST_TOKEN
        if now - self._progressed > patience:
            raise ServingError(
                f"the engine of model {model!r} stands still: {self.gauges.running:.0f} requests run, "
                f"but no token came for {patience:.0f} s; it is started anew, and they are asked again"
            )

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            latest = self._server.gauges() if self._server.healthy() else None
            if latest is None:
                continue
            self._note(latest)
            load = {"running": latest.running, "waiting": latest.waiting, "generated": latest.generated}
            load["progressed"] = time.time() - self._stood()
            try:
                self._leases = [renew(self._store, lease.model_copy(update=load)) for lease in self._leases]
            except StoreError as error:
                _log.warning("the lease could not be renewed, it is tried again in %.0f s: %s", self._every, error)

    def _note(self, latest: Gauges) -> None:
        self._heard = time.monotonic()
        works = (latest.generated, latest.prompted) != (self.gauges.generated, self.gauges.prompted)
        if works or not latest.running:
            self._progressed = self._heard
        self.gauges = latest

    def _stood(self) -> float:
        return time.monotonic() - self._progressed
