"""Says where a model answers just now: a server of this run keeps a lease on the store and renews it while it lives.

    serving/MODEL/000.json       the lease of replica 0
    serving/MODEL/wanted.json    somebody waits for this model: renewed by those who wait

A lease that was not renewed for `STALE` seconds counts for nothing, so a server that died needs nobody to clean up.
"""

from __future__ import annotations

import json
import time

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.objects import ObjectStore
from tracemill.serving.keys import keys_below, remove

BEAT = 5.0  # seconds between renewals
STALE = 60.0  # seconds: twelve beats, so that clocks half a minute apart still agree


class Lease(BaseModel):
    """One replica of a model: its URL, which weights it serves (`identity`), and when it last said that it lives."""

    model_config = ConfigDict(frozen=True)
    model: str
    identity: str
    replica: int
    url: str
    host: str
    pid: int
    renewed: float

    @property
    def key(self) -> str:
        """Where on the store this lease lies."""
        return f"serving/{self.model}/{self.replica:03d}.json"


def renew(store: ObjectStore, lease: Lease) -> Lease:
    """Write the lease with the time of now."""
    renewed = lease.model_copy(update={"renewed": time.time()})
    store.write_bytes(renewed.key, renewed.model_dump_json().encode())
    return renewed


def withdraw(store: ObjectStore, lease: Lease) -> None:
    """Take the lease away, unless another server has meanwhile taken over this replica."""
    current = _read(store, lease.key)
    if current is not None and (current.host, current.pid) == (lease.host, lease.pid):
        remove(store, lease.key)


def live_leases(store: ObjectStore, model: str, identity: str) -> list[Lease]:
    """The replicas that serve these very weights and were heard of within STALE seconds, by replica number."""
    keys = [key for key in keys_below(store, f"serving/{model}") if not key.endswith("/wanted.json")]
    leases = [lease for lease in (_read(store, key) for key in keys) if lease is not None]
    return [lease for lease in leases if lease.identity == identity and time.time() - lease.renewed < STALE]


def want(store: ObjectStore, model: str) -> None:
    """Say that somebody waits for this model now."""
    store.write_bytes(f"serving/{model}/wanted.json", json.dumps({"at": time.time()}).encode())


def wanted(store: ObjectStore, model: str) -> bool:
    """Whether somebody said within STALE seconds that they wait for this model."""
    try:
        at = json.loads(store.read_bytes(f"serving/{model}/wanted.json"))["at"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return time.time() - float(at) < STALE


def _read(store: ObjectStore, key: str) -> Lease | None:
    """The lease under that key; None when it is gone or is no lease (a newer tracemill's, say)."""
    try:
        return Lease.model_validate_json(store.read_bytes(key))
    except (FileNotFoundError, ValidationError):
        return None
