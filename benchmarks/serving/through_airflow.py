"""Runs the workload through a real Airflow with a real vLLM, and reads the server's own counters while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.serving.workload import SLOTS, Workload, made
from tracemill.engine.store import Store
from tracemill.models.lease import live_leases
from tracemill.models.model import Model
from tracemill.models.server.metrics import Gauges, parse_metrics, utilisation
from tracemill_airflow.local import start
from tracemill_airflow.rest import AirflowRest

DAG = "bench_serving"
DAGS = Path(__file__).resolve().parent / "dags"
SETTINGS = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__PARALLELISM": "3",
    "TRACEMILL_SAMPLES": "samples",  # below each store: what another measurement paid for must not help this one
}


@dataclass(frozen=True)
class Through:
    """The distil stage: seconds from the first task's work to the last shard, tokens, and the slots' utilisation."""

    seconds: float
    tokens: int
    utilisation: float
    tries: dict[str, int]


class Watch:
    """Reads /metrics of the leased server now and then: what it had made before and after the stage."""

    def __init__(self, store_url: str, model: Model, identity: str) -> None:
        self.store_url, self.model, self.identity = store_url, model, identity
        self.first: Gauges | None = None
        self.last: Gauges | None = None

    def look(self) -> None:
        """Take one reading, if there is a server."""
        try:
            leases = live_leases(Store.at(self.store_url, create=True), self.model.name, self.identity)
            pages = [httpx.get(f"{lease.url}/metrics", timeout=5).text for lease in leases]
        except httpx.TransportError:
            return
        for page in pages:
            gauges = parse_metrics(page)
            self.first = self.first or gauges
            self.last = gauges if self.last is None or gauges.generated > self.last.generated else self.last


def distil_through_airflow(workload: Workload, home: Path, root: Path, watch: Watch) -> Through:
    """Run plan, ingest, serve and distill. Raises RuntimeError when the run fails."""
    server = start(home, SETTINGS)
    try:
        rest = AirflowRest(server.url, server.username, server.password)
        rest.await_dag(DAG)
        run = rest.trigger(DAG, {"recipe": str(workload.path), "root": root.as_uri()})
        for _ in rest.follow(DAG, run, every=1.0):
            watch.look()
        tasks = rest.tasks(DAG, run)
        state = rest.run(DAG, run)["state"]
        if state != "success":
            raise RuntimeError(f"the run ended {state}: {[t for t in tasks if t.state != 'success']}; see {home}/logs")
        results = [rest.result(DAG, run, task) for task in tasks if task.task == "distill"]
    finally:
        server.stop()
    assert watch.first, "no reading of the server's metrics"
    assert watch.last
    began, ended = min(r["began"] for r in results), max(r["ended"] for r in results)
    tokens = sum(made(Store.at(root.as_uri())).tokens)
    tries = {task.task: task.tries for task in tasks}
    return Through(ended - began, tokens, utilisation(watch.first, watch.last, SLOTS), tries)
