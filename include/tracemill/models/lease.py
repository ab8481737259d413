"""Says where a model answers just now: a server of this run keeps a lease on the store and renews it while it lives.

    serving/MODEL/000.json       the lease of replica 0
    serving/MODEL/wanted.json    somebody waits for this model: renewed by those who wait
    serving/MODEL/failed.json    why its server could not be had: what those who wait fail with

A lease that was not renewed for `STALE` seconds counts for nothing, so a server that died needs nobody to clean up.
"""

from __future__ import annotations

import json
import time

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.objects import ObjectStore

BEAT = 5.0  # seconds between renewals
STALE = 60.0  # seconds: twelve beats, so that clocks half a minute apart still agree
_PROBE = 5.0  # seconds in which a server must say that it is healthy
_NO_LEASES = ("/wanted.json", "/failed.json")


class Lease(BaseModel):
    """One replica of a model: its URL, which weights it serves (`identity`), and when it last said that it lives.

    `running` and `waiting` are the server's requests, `generated` its tokens so far, `progressed` when it last made one
    (or had nothing to do): clients of all tasks see from these whether their requests live, and hold back from a queue.
    `engine` is the version of vLLM, `server` the name of the server's life in what it writes of its cost.
    """

    model_config = ConfigDict(frozen=True)
    model: str
    identity: str
    replica: int
    url: str
    host: str
    pid: int
    renewed: float
    running: float = 0.0
    waiting: float = 0.0
    generated: float = 0.0
    progressed: float = 0.0
    engine: str = ""
    server: str = ""

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
    keys = [key for key in keys_below(store, f"serving/{model}") if not key.endswith(_NO_LEASES)]
    leases = [lease for lease in (_read(store, key) for key in keys) if lease is not None]
    return [lease for lease in leases if lease.identity == identity and time.time() - lease.renewed < STALE]


def answering(store: ObjectStore, model: str, identity: str) -> list[Lease]:
    """The live leases whose servers say just now that they are healthy: after a kill -9 a lease outlives its server."""
    import httpx  # late: reading a recipe must not load an HTTP library

    def is_healthy(lease: Lease) -> bool:
        try:
            return httpx.get(f"{lease.url}/health", timeout=_PROBE, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    return [lease for lease in live_leases(store, model, identity) if is_healthy(lease)]


class Failure(BaseModel):
    """Why a model has no server, in the words of the error; `final` when nobody will try again by itself."""

    model_config = ConfigDict(frozen=True)
    at: float
    error: str
    text: str
    final: bool


def leave_word(store: ObjectStore, model: str, error: Exception, *, final: bool) -> None:
    """Say on the store why the model's server could not be had."""
    failure = Failure(at=time.time(), error=type(error).__name__, text=str(error), final=final)
    store.write_bytes(f"serving/{model}/failed.json", failure.model_dump_json().encode())


def word_left(store: ObjectStore, model: str, since: float) -> Failure | None:
    """What a server's end left behind since then (seconds of the epoch), if nobody tried to start one again."""
    try:
        failure = Failure.model_validate_json(store.read_bytes(f"serving/{model}/failed.json"))
    except (FileNotFoundError, ValidationError):
        return None
    return failure if failure.at >= since else None


def forget_failure(store: ObjectStore, model: str) -> None:
    """Take back what an earlier server left: somebody tries again."""
    remove(store, f"serving/{model}/failed.json")


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
