"""kill -9 of the client task, of the serve task, and of vLLM itself, mid-shard under Airflow: what is paid twice?"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.serving.run_end import talking_to
from benchmarks.serving.served import answered, lease_of
from benchmarks.serving.through_airflow import DAG, SETTINGS
from benchmarks.serving.workload import CONCURRENCY, Workload, made
from tracemill.engine.store import Store
from tracemill.models.lease import Lease
from tracemill.models.server.guard import descendants
from tracemill_airflow.local import LocalAirflow, start
from tracemill_airflow.rest import AirflowRest

VICTIMS = ("client", "serve", "vllm")
SHARDS_AT_ONCE = 4


def kills(workload: Workload) -> dict[str, object]:
    """Kill each of the three once; every run must complete, by Airflow's own retries."""
    results: dict[str, object] = {}
    airflow = start(workload.folder / "airflow", SETTINGS)
    try:
        for victim in VICTIMS:
            own = replace(workload, folder=workload.folder / victim)
            own.write()
            twice = one_kill(own, victim, airflow)
            allowed = CONCURRENCY * SHARDS_AT_ONCE
            print(
                f"kill -9 of {victim}: complete, {twice} answers paid twice (at most {allowed} in flight)", flush=True
            )
            results[f"paid_twice_{victim}"] = twice
    finally:
        airflow.stop()
    return results


@dataclass
class Bill:
    """What the servers of a run have answered, by the process that serves: a new server counts from nothing."""

    workload: Workload
    root: Path
    lease: Lease | None = None
    paid: dict[int, int] = field(default_factory=dict)

    def look(self) -> int:
        """Read the counter of the server that is up; returns the answers of all servers so far."""
        self.lease = lease_of(self.workload, self.root)
        found = answered(self.lease) if self.lease else None
        if self.lease and found:
            self.paid[self.lease.pid] = max(found[0], self.paid.get(self.lease.pid, 0))
        return sum(self.paid.values())


def one_kill(workload: Workload, victim: str, airflow: LocalAirflow) -> int:
    """Distil, kill the victim when a third is done; returns how many answers were paid twice."""
    root = workload.folder / "store"
    rest = AirflowRest(airflow.url, airflow.username, airflow.password)
    rest.await_dag(DAG)
    run = rest.trigger(DAG, {"recipe": str(workload.path), "root": root.as_uri()})
    bill, killed = Bill(workload, root), False
    for _ in rest.follow(DAG, run, every=0.1):
        if bill.look() >= workload.problems // 3 and not killed:
            assert bill.lease
            os.kill(_process(victim, bill.lease, airflow), signal.SIGKILL)
            killed = True
    if rest.run(DAG, run)["state"] != "success" or not killed:
        raise RuntimeError(f"killing {victim}: {rest.tasks(DAG, run)}; see {airflow.home}/logs")
    tries = {task.task: task.tries for task in rest.tasks(DAG, run)}
    assert max(tries.values()) > 1, f"killing {victim} made nothing try again: {tries}"
    assert len(made(Store.at(root.as_uri())).tokens) == workload.problems
    return max(0, bill.look() - workload.problems)


def _process(victim: str, lease: Lease, airflow: LocalAirflow) -> int:
    """The pid of the victim: the lease names the serve task's, vLLM runs below its guard, the client talks to vLLM."""
    if victim == "serve":
        return lease.pid
    below = list(descendants(lease.pid))
    if victim == "vllm":
        return next(iter(descendants(below[0])))
    return talking_to(lease.url, airflow, but={lease.pid, os.getpid(), *below})
