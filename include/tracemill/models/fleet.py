"""Chooses which server of a model is asked next, and knows which of them live.

Endpoints that are named beforehand are taken at their word. Servers of a run are known by their leases, which are read
again every two seconds: a server whose lease went is asked nothing more, and what it was asked is asked elsewhere.
"""

from __future__ import annotations

import contextlib
import time
import zlib
from collections import Counter
from dataclasses import dataclass

from pydantic import SecretStr

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.budget import Budget
from tracemill.models.endings import Endings
from tracemill.models.endpoints import API_KEY, Endpoint, fixed_endpoints
from tracemill.models.lease import Lease, live_leases, want, word_left
from tracemill.models.model import Model
from tracemill.models.pacing import Pace
from tracemill.models.purse import Purse
from tracemill.models.request import Ask

LOOK_EVERY = 2.0  # seconds between two looks at the leases
_AVOID = 10.0  # seconds for which an address that failed is asked last
_LOPSIDED = 1.25  # a prompt's own server is asked while it has at most so many times the requests of the idlest ...
_SLACK = 8  # ... and so many more
_ALWAYS = 4  # requests that a client may have at a server however long its queue is


@dataclass
class _Queue:
    """A server's queue when its lease was read, and what this client had there then."""

    waiting: float
    running: float
    own: int


class Fleet:
    """The servers of one model, for one event loop. `refresh` reads the store and may be called from another thread."""

    def __init__(self, model: Model, store: ObjectStore, resources: Resources) -> None:
        self.model = model
        self.store = store
        self.identity = model.identity(resources, store)
        self._fixed = named_endpoints(model, resources)
        self.purse = Purse(store, model.name, model.api) if model.api else None
        self.budget = Budget(store, resources.cost)
        key = resources.environment.get(API_KEY)
        self._key = SecretStr(key) if key else None
        self._found: list[Endpoint] = list(self._fixed)
        self._queues: dict[str, _Queue] = {}
        self._failed: dict[str, float] = {}
        self.paces: dict[str, Pace] = {}
        self.busy: Counter[str] = Counter()
        self._away = resources.away
        self._seen = time.monotonic()
        self._began = time.time()
        self.engines: set[str] = set()
        self.endings = Endings(model.name)

    def refresh(self) -> None:
        """Look which servers there are now, and say that somebody waits when there is none.

        Raises RecipeError with what the server's end left behind when no server can come.
        """
        if self.purse:
            self.purse.settle()
        self.budget.settle(self.purse)
        if self._fixed:
            return
        leases = live_leases(self.store, self.model.name, self.identity)
        self._queues = {one.url: _Queue(one.waiting, one.running, self.busy[one.url]) for one in leases}
        self._found = [_endpoint(lease, self._key) for lease in leases]
        self.engines |= {lease.engine for lease in leases if lease.engine}
        if leases:
            self._seen = time.monotonic()
            return
        want(self.store, self.model.name)
        failure = word_left(self.store, self.model.name, self._began)
        if failure and failure.final:
            raise RecipeError(failure.text)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where the model answered at the last look."""
        return self._found

    @property
    def is_gone(self) -> bool:
        """Whether there has been no server for longer than this task may wait in its worker."""
        return not self._fixed and self._away is not None and time.monotonic() - self._seen > self._away

    @property
    def is_fixed(self) -> bool:
        """Whether the addresses were named beforehand and do not depend on leases."""
        return bool(self._fixed)

    def choose(self, prompt: bytes) -> Endpoint | None:
        """The endpoint to ask next, or None when there is none or none takes more just now.

        Equal prompts go to one server, which computes their common beginning once, unless that one has clearly more to
        do than another or has just failed.
        """
        now = time.monotonic()
        if self.purse and not self.purse.is_open(now):
            return None
        able = [e for e in self._found if self.pace(e).is_open(self.busy[e.url], now) and not self._is_full(e)]
        sound = [e for e in able if now - self._failed.get(e.url, float("-inf")) >= _AVOID] or able
        if not sound:
            return None
        idlest = min(sound, key=lambda e: self.busy[e.url])
        own = max(sound, key=lambda e: zlib.crc32(e.url.encode(), zlib.crc32(prompt)))
        lopsided = self.busy[own.url] > _LOPSIDED * self.busy[idlest.url] + _SLACK
        return idlest if lopsided else own

    def require_money(self) -> None:
        """Raise LimitSpent when a limit of money is spent."""
        self.budget.check(self.purse)
        if self.purse:
            self.purse.check()

    def affords(self, ask: Ask) -> bool:
        """Whether the limits of money, if there are any, pay for this request beside those in flight."""
        if self.purse is None:
            return True
        worth = self.purse.worth(ask)
        return self.purse.affords(worth) and self.budget.affords(self.purse, worth)

    def holding(self, ask: Ask) -> contextlib.AbstractContextManager[None]:
        """Holds the money for a request while it is in flight."""
        return self.purse.holding(self.purse.worth(ask)) if self.purse else contextlib.nullcontext()

    def _is_full(self, endpoint: Endpoint) -> bool:
        """Whether a server's queue is as long as what it works on: more would only wait there, for whoever asks."""
        queue = self._queues.get(endpoint.url)
        if queue is None or self.busy[endpoint.url] < _ALWAYS:
            return False
        sent = self.busy[endpoint.url] - queue.own
        return queue.waiting + sent > max(queue.running, self.model.serve.concurrency)

    def pace(self, endpoint: Endpoint) -> Pace:
        """How fast that address may be asked."""
        return self.paces.setdefault(endpoint.url, Pace())

    def failed(self, endpoint: Endpoint) -> None:
        """Note that an endpoint did not answer: for a while it is asked only if there is no other."""
        self._failed[endpoint.url] = time.monotonic()


def named_endpoints(model: Model, resources: Resources) -> list[Endpoint]:
    """The endpoints of the environment (and so of Airflow's connections), else the model's API; none: by lease."""
    found = fixed_endpoints(model.name, resources.environment)
    if found or not model.api:
        return found
    key = model.api.secret(resources)
    return [Endpoint(url=model.api.url, model=model.api.model, key=SecretStr(key) if key else None)]


def _endpoint(lease: Lease, key: SecretStr | None) -> Endpoint:
    return Endpoint(
        url=lease.url,
        model=lease.model,
        key=key,
        life=f"{lease.host}:{lease.pid}",
        server=lease.server,
        engine=lease.engine,
    )
