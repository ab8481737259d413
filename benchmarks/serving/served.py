"""A model served by `tracemill serve` in a process of its own, and stages run on its answers; both can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.serving.workload import PROJECT, Workload
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.local.demand import served_models
from tracemill.models.lease import Lease, live_leases
from tracemill.models.server.metrics import Gauges, parse_metrics

_DISTIL = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tracemill.recipe import load_recipe
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
recipe, store = load_recipe(sys.argv[1]), Store.at(sys.argv[2], create=True)
run_shard(recipe, store, "plan", 0, Resources())
shards = range(shard_count(store))
for shard in shards:
    run_shard(recipe, store, "ingest", shard, Resources())
with ThreadPoolExecutor(4) as threads:
    list(threads.map(lambda shard: run_shard(recipe, store, "distill", shard, Resources()), shards))
"""


def start_server(workload: Workload, root: Path) -> subprocess.Popen[bytes]:
    """Start the serve command; its log is next to the store."""
    command = [sys.executable, "-m", "tracemill.cli.serve", str(workload.path), "teacher", "--root", root.as_uri()]
    return _start(command, root.parent / "serve.log")


def start_client(workload: Workload, root: Path) -> subprocess.Popen[bytes]:
    """Start all stages on all shards, as a task does."""
    return _start([sys.executable, "-c", _DISTIL, str(workload.path), root.as_uri()], root.parent / "client.log")


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "include"), "HF_HUB_OFFLINE": "1"}
    with log.open("ab") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file)


@contextmanager
def ended_afterwards(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
    """End these processes, whatever happens."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def lease_of(workload: Workload, root: Path, recipe_model: str = "teacher", after: float = 0.0) -> Lease | None:
    """The live lease that was renewed after a moment, if there is one."""
    from tracemill.recipe import load_recipe

    model = served_models(load_recipe(str(workload.path)))[recipe_model].model
    store = Store.at(root.as_uri(), create=True)
    leases = live_leases(store, model.name, model.identity(Resources(), store))
    return next((lease for lease in leases if lease.renewed > after), None)


def awaited_lease(workload: Workload, root: Path, after: float = 0.0, seconds: float = 400) -> Lease:
    """Wait for a lease. Raises TimeoutError with where to look."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lease = lease_of(workload, root, after=after)
        if lease:
            return lease
        time.sleep(0.5)
    raise TimeoutError(f"no server came up; see {root.parent / 'serve.log'}")


def answered(lease: Lease) -> tuple[int, Gauges] | None:
    """How many requests a server has answered whole, and its gauges; None when it does not say."""
    try:
        page = httpx.get(f"{lease.url}/metrics", timeout=5).text
    except httpx.TransportError:
        return None
    count = sum(
        float(line.rsplit(" ", 1)[1])
        for line in page.splitlines()
        if line.startswith("vllm:request_success_total") and ('"stop"' in line or '"length"' in line)
    )
    return int(count), parse_metrics(page)
