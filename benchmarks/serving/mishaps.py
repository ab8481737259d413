"""What happens to a shard when something goes wrong around it, against servers on loopback, and what a look costs."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from benchmarks.serving.wire import asks, client_cost, feed_of, lease_of, leased_feed, over_subscribed
from tracemill.engine.objects import ObjectStore
from tracemill.engine.store import Store
from tracemill.errors import ServingError
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.models.lease import renew, withdraw
from tracemill.models.request import Reply
from tracemill.models.samples import SampleStore
from tracemill.models.server.heart import Heart
from tracemill.models.server.metrics import Gauges
from tracemill.models.weights import folder_identity, keep, kept_digest

KILLED_ASKS, KILLED_IN_FLIGHT = 400, 32


def recovery() -> dict[str, float]:
    """Seconds until work goes on after one of two servers fell silent and its lease went a second later."""
    with (
        tempfile.TemporaryDirectory() as folder,
        on_socket(FakeServer()) as silent,
        on_socket(FakeServer(), seconds=0.05) as sound,
        leased_feed(Path(folder), sound.url) as feed,
    ):
        silent.frozen = True
        gone = renew(feed.store, lease_of(silent.url, replica=1))
        threading.Timer(1.0, withdraw, (feed.store, gone)).start()
        began = time.monotonic()
        found = feed.answers(asks(64))
        took = time.monotonic() - began
        silent.frozen = False
    if not all(isinstance(one, Reply) for one in found):
        raise RuntimeError("an answer is missing")
    return {"recovery_s": round(took - 1.0, 2)}


def frozen() -> dict[str, float]:
    """Seconds until work goes on after an engine that says it is healthy stood still, its own patience left out."""
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer()) as still, on_socket(FakeServer()) as fresh:
        still.frozen = True
        feed = feed_of(Path(folder))
        noticed: list[float] = []
        answered = threading.Event()
        threading.Thread(target=_restarted, args=(feed.store, still, fresh, noticed, answered)).start()
        try:
            found = feed.answers(asks(32))
            took = time.monotonic() - noticed[0]
        finally:
            answered.set()
            still.frozen = False
    if not all(isinstance(one, Reply) for one in found):
        raise RuntimeError("an answer is missing")
    return {"frozen_recovery_s": round(took, 2)}


def _restarted(
    store: ObjectStore, still: Served, fresh: Served, noticed: list[float], answered: threading.Event
) -> None:
    """What a serve task does with such an engine: its heart notices, the lease goes, another server gets one."""
    try:
        with Heart(store, lease_of(still.url), Gauged(still), beat=0.2, frozen=1.0) as heart:
            while True:
                heart.check("fake")
                time.sleep(0.1)
    except ServingError:
        noticed.append(time.monotonic())
    with Heart(store, lease_of(fresh.url), Gauged(fresh)):
        answered.wait()


class Gauged:
    """A server on a socket as a heart sees it."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def healthy(self) -> bool:
        """It always says so."""
        return True

    def gauges(self) -> Gauges:
        """Its load; an engine that is asked for the first time had made tokens before."""
        return Gauges(running=self.served.running, waiting=self.served.waiting, generated=1 + self.served.generated)


def killed_client() -> dict[str, float]:
    """kill -9 of a client and an instant rerun: answers paid twice, and seconds until work goes on."""
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer(), slots=16, seconds=0.2) as served:
        first = _client(Path(folder), served.url)
        _await(lambda: len(served.fake.requests) >= 150)
        first.kill()
        first.wait()
        before, began = len(served.fake.requests), time.monotonic()
        second = _client(Path(folder), served.url)
        _await(lambda: len(served.fake.requests) > before)
        goes_on = time.monotonic() - began
        if second.wait(120):
            raise RuntimeError("the rerun failed")
        twice = len(served.fake.requests) - KILLED_ASKS
    return {"paid_twice_rerun": twice, "rerun_goes_on_s": round(goes_on, 2)}


def interrupted_client() -> int:
    """The exit status after Ctrl-C while it asks, through the command's own door."""
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer(), slots=16, seconds=0.2) as served:
        client = _client(Path(folder), served.url)
        _await(lambda: len(served.fake.requests) >= 60)
        client.send_signal(signal.SIGINT)
        return client.wait(30)


def _client(folder: Path, url: str) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from benchmarks.serving import mishaps, wire\n"
        "feed = wire.feed_of(Path(sys.argv[1]), sys.argv[2], concurrency=mishaps.KILLED_IN_FLIGHT)\n"
        "try: feed.answers(wire.asks(mishaps.KILLED_ASKS))\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder), url])


def _await(is_so: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError("nothing came of it")
        time.sleep(0.02)


def poison_row() -> dict[str, float]:
    """How many of 20 rows are answered within ten requests' time beside one that always fails."""
    seconds = 1.0
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer(poison="problem 13"), seconds=seconds) as served:
        feed, began = feed_of(Path(folder), served.url), time.monotonic()
        found = feed.answers(asks(20))
        took = time.monotonic() - began
    answered = sum(isinstance(one, Reply) for one in found)
    return {"poison_answered": answered, "poison_requests_time": round(took / seconds, 1)}


def identity() -> dict[str, float]:
    """Seconds to know a folder of 700 GB (sparse files) whose digest is kept, and whether one byte more is noticed."""
    with tempfile.TemporaryDirectory() as folder:
        weights, store = Path(folder) / "weights", Store.at(f"{folder}/store", create=True)
        weights.mkdir()
        (weights / "config.json").write_text("{}")
        for number in range(163):
            with (weights / f"model-{number:05d}.safetensors").open("wb") as file:
                file.truncate(4_300_000_000)
        keep(store, "fake", weights, "known")
        began = time.monotonic()
        found = folder_identity(store, "fake", weights)
        took = time.monotonic() - began
        if found != "known" or kept_digest(store, "fake", weights) is None:
            raise RuntimeError("the kept digest was not found")
        with (weights / "model-00007.safetensors").open("r+b") as file:
            file.seek(1_000_000)
            file.write(b"x")
        os.utime(weights / "model-00007.safetensors", (0, 0))
        if kept_digest(store, "fake", weights) is not None:
            raise RuntimeError("a changed byte was not noticed")
    return {"identity_s": round(took, 3)}


def found_among_parts(parts: int = 5000, rows: int = 20) -> dict[str, float]:
    """Seconds to look for a shard's answers among those of so many others."""
    with tempfile.TemporaryDirectory() as folder:
        samples = SampleStore(ObjectStore(LocalFileSystem(), folder), "w")
        keys = [[hashlib.sha256(f"{part} {n}".encode()).hexdigest() for n in range(rows)] for part in range(parts)]
        for part, own in enumerate(keys):
            samples.add({key: Reply("x" * 100, "stop") for key in own}, f"{part:016x}")
        wanted = [f"{n:064x}" for n in range(4000)] + [own[0] for own in keys[:: parts // 50]]
        began = time.monotonic()
        found = SampleStore(samples.store, "w").find(wanted, "mine")
        took = time.monotonic() - began
    if len(found) != len(keys[:: parts // 50]):
        raise RuntimeError("an answer is missing")
    return {"found_among_parts_s": round(took, 2)}


def figures() -> dict[str, float]:
    """All of them."""
    found = {**client_cost(), **over_subscribed(), **found_among_parts(), **identity(), **poison_row()}
    recoveries = {**recovery(), **frozen(), **killed_client()}
    worst = max(recoveries["recovery_s"], recoveries["frozen_recovery_s"], recoveries["rerun_goes_on_s"])
    return {**found, **recoveries, "vanished_recovery_s": recoveries["recovery_s"], "recovery_s": worst}
