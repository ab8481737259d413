"""Serves one replica of a model for as long as it is needed: a lease while it lives, its load in the log, then gone."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, TracemillError
from tracemill.models.costs import ServerLife
from tracemill.models.lease import BEAT, Lease, forget_failure, leave_word, wanted
from tracemill.models.model import Model
from tracemill.models.server.command import devices, vllm_python
from tracemill.models.server.heart import Heart
from tracemill.models.server.meter import Meter
from tracemill.models.server.metrics import summary
from tracemill.models.server.process import Server

REPORT = 30.0  # seconds between two lines about the load
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """How a replica's life ended: "done" (nobody will need it), "idle" (nobody asked for a while), "told" (stopped)."""

    why: Literal["done", "idle", "told"]
    seconds: float
    generated: float
    prompted: float


class Replica:
    """One replica's life. `done` says that no stage needs its models any more; it is asked every few seconds.

    `others` are models that the same server serves (see models/sharing.py); each has a lease under its own name.
    `paused` says that nobody may ask for now: then it goes as soon as it has nothing to do.
    """

    def __init__(
        self,
        model: Model,
        replica: int,
        store: ObjectStore,
        resources: Resources,
        done: Callable[[], bool],
        others: Sequence[Model] = (),
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model = model
        self.others = tuple(others)
        self.replica = replica
        self.store = store
        self.resources = resources
        self.done = done
        self.paused = paused
        self._told = False
        self._server: Server | None = None

    def serve(self) -> Served:
        """Serve until done, idle or told to stop. Raises ServingError or RecipeError when the server fails; what it
        raises is left on the store, so that those who wait for the model need not wait in vain.
        """
        family = (self.model, *self.others)
        for model in family:
            forget_failure(self.store, model.name)
        try:
            return self._served()
        except TracemillError as error:
            for model in family:
                leave_word(self.store, model.name, error, final=isinstance(error, RecipeError))
            raise

    def _served(self) -> Served:
        with tempfile.TemporaryDirectory(prefix="tracemill-serve-") as folder:
            log = Path(folder) / f"{self.model.name}.log"
            self._server = server = Server(self.model, self.resources, self.replica, log, self.others)
            with Meter(self.store, self._life(), server) as meter, server:
                try:
                    server.start()
                except TracemillError:
                    if self._told:
                        return Served("told", 0.0, 0.0, 0.0)
                    raise
                leases = [self._lease(model, server, meter.life.server) for model in (self.model, *self.others)]
                with Heart(self.store, leases, server) as heart:
                    return self._watch(server, heart)

    def stop(self) -> None:
        """End the server now; `serve` returns "told". Safe to call from a signal handler."""
        self._told = True
        if self._server:
            self._server.stop()

    def _life(self) -> ServerLife:
        """What the server's record begins with: it holds its devices from now on."""
        unit, count = devices(self.model, vllm_python(self.resources))
        now = time.time()
        return ServerLife(
            server=uuid.uuid4().hex[:16],
            models=tuple(model.name for model in (self.model, *self.others)),
            replica=self.replica,
            host=socket.gethostname(),
            unit=unit,
            devices=count,
            began=now,
            seen=now,
            price=self.model.hour_price,
        )

    def _lease(self, model: Model, server: Server, name: str = "") -> Lease:
        return Lease(
            model=model.name,
            identity=model.identity(self.resources, self.store),
            replica=self.replica,
            url=server.url,
            host=socket.gethostname(),
            pid=os.getpid(),
            renewed=time.time(),
            engine=server.version(),
            server=name,
        )

    def _watch(self, server: Server, heart: Heart) -> Served:
        began = active = reported = time.monotonic()
        first = last = heart.gauges
        while True:
            now = time.monotonic()
            latest = heart.gauges
            if not self._told:
                server.check()
                heart.check(self.model.name)
            paused = self.paused()
            if latest.busy or (not paused and (latest.generated != last.generated or self._is_wanted())):
                active = now
            if now - reported >= REPORT:
                _log.info("%s: %s", self.model.name, summary(last, latest, now - reported))
                reported = now
                last = latest
            why = self._end(now - active, BEAT if paused else self.model.serve.idle)
            if why:
                generated = latest.generated - first.generated
                prompted = latest.prompted - first.prompted
                _log.info("%s: %s after %.0f s, %.0f tokens generated", self.model.name, why, now - began, generated)
                return Served(why, round(now - began, 1), generated, prompted)
            time.sleep(BEAT)

    def _is_wanted(self) -> bool:
        return any(wanted(self.store, model.name) for model in (self.model, *self.others))

    def _end(self, quiet: float, patience: float) -> Literal["done", "idle", "told"] | None:
        if self._told:
            return "told"
        if self.done():
            return "done"
        return "idle" if quiet > patience else None
