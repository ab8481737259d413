"""Finds where a model answers: endpoints that are already up (named in the environment), else the leases of this run.

TRACEMILL_ENDPOINTS is JSON: {"MODEL": [{"url": "http://host:8000", "model": "name there", "key": "secret"}], ...}.
Under Airflow it is made from connections. Secrets stay in the environment: never in a recipe, a lease or a log.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from tracemill.errors import RecipeError
from tracemill.objects import ObjectStore
from tracemill.resources import Resources
from tracemill.serving.lease import live_leases, want
from tracemill.serving.model import Model

ENDPOINTS = "TRACEMILL_ENDPOINTS"
API_KEY = "TRACEMILL_API_KEY"
_LOOK_EVERY = 2.0  # seconds between two looks at the leases
_AVOID = 10.0  # seconds for which an address that failed is asked last


class Endpoint(BaseModel):
    """One address that answers for a model; `model` is its name there."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: Annotated[str, Field(pattern=r"^[a-z]+://")]
    model: str
    key: SecretStr | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request there."""
        return {"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {}


def fixed_endpoints(model: str, environment: Mapping[str, str]) -> list[Endpoint]:
    """The endpoints that the environment names for a model. Raises RecipeError when that is not the documented JSON."""
    try:
        known = TypeAdapter(dict[str, list[Endpoint]]).validate_json(environment.get(ENDPOINTS) or "{}")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise RecipeError(f'{ENDPOINTS} is not {{"MODEL": [{{"url": ..., "model": ...}}]}}: {wrong}') from None
    return known.get(model, [])


def with_endpoints(environment: Mapping[str, str], model: str, endpoints: list[Endpoint]) -> dict[str, str]:
    """The environment with these endpoints for a model added, as a client of this module reads it."""
    known = json.loads(environment.get(ENDPOINTS) or "{}")
    plain = [e.model_dump() | {"key": e.key.get_secret_value() if e.key else None} for e in endpoints]
    return {**environment, ENDPOINTS: json.dumps({**known, model: plain})}


class Fleet:
    """The servers of one model: gives the least busy one, and looks for new ones when they fail or leave.

    Not for several threads; each shard that is worked on has its own.
    """

    def __init__(self, model: Model, store: ObjectStore, resources: Resources) -> None:
        self.model, self.store = model, store
        self.identity = model.identity(resources)
        self._fixed = fixed_endpoints(model.name, resources.environment)
        key = resources.environment.get(API_KEY)
        self._key = SecretStr(key) if key else None
        self._found: list[Endpoint] = []
        self._looked = float("-inf")
        self._failed: dict[str, float] = {}
        self.busy: Counter[str] = Counter()
        self._away, self._seen = resources.away, time.monotonic()

    def endpoints(self) -> list[Endpoint]:
        """Where the model answers, as far as is known; leases are read again every two seconds at most."""
        if self._fixed:
            return self._fixed
        if time.monotonic() - self._looked >= _LOOK_EVERY:
            leases = live_leases(self.store, self.model.name, self.identity)
            self._found = [Endpoint(url=lease.url, model=lease.model, key=self._key) for lease in leases]
            self._looked = time.monotonic()
            if not self._found:
                want(self.store, self.model.name)
        if self._found:
            self._seen = time.monotonic()
        return self._found

    @property
    def is_gone(self) -> bool:
        """Whether there has been no server for longer than this task may wait in its worker."""
        return not self._fixed and self._away is not None and time.monotonic() - self._seen > self._away

    @property
    def is_fixed(self) -> bool:
        """Whether the addresses were named beforehand and do not depend on leases."""
        return bool(self._fixed)

    def choose(self) -> Endpoint | None:
        """The endpoint to ask next: one that did not just fail, with the fewest requests in flight; None for none."""
        now = time.monotonic()
        return min(
            self.endpoints(),
            key=lambda e: (now - self._failed.get(e.url, float("-inf")) < _AVOID, self.busy[e.url]),
            default=None,
        )

    def failed(self, endpoint: Endpoint) -> None:
        """Note that an endpoint did not answer; the leases are read afresh before the next choice."""
        self._failed[endpoint.url] = time.monotonic()
        self._looked = float("-inf") if self._looked < time.monotonic() - 0.5 else self._looked
