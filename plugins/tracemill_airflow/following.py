"""Triggers a run over Airflow's REST API, shows how far it is, and says what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tracemill_airflow.local import LocalAirflow
from tracemill_airflow.rest import AirflowRest, RunFailed, TaskState

DONE = {"success", "skipped"}
BAD = {"failed", "upstream_failed"}
SELDOM = 5.0  # seconds: asked each second, a server takes a tenth of a processor from the work that it runs
SERVING = {"servers", "serve", "beside", "beside_programs"}  # tasks that seal no shard


def run_through(
    rest: AirflowRest, dag: str, conf: Mapping[str, Any], server: LocalAirflow, console: Console
) -> dict[str, Any]:
    """Start a run of the DAG, follow it to its end, and sum it up (`summarise`, with its `peak_gib` of memory).

    Raises RunFailed naming the tasks that failed and where their logs are.
    """
    rest.await_dag(dag)
    run = rest.trigger(dag, dict(conf))
    console.print(f"Run [bold]{run}[/bold] of recipe {conf['recipe']!r}: {server.url}/dags/{dag}/runs/{run}")
    tasks, peak = _watch(rest.follow(dag, run, seldom=SELDOM), console, server)
    _require_success(rest, dag, run, tasks, server)
    return {**summarise(rest, run, tasks, dag), "peak_gib": round(peak / 2**30, 2)}


def _watch(states: Iterable[list[TaskState]], console: Console, server: LocalAirflow) -> tuple[list[TaskState], int]:
    """Show progress until the run ends; the last task states, and the most memory that was seen, in bytes."""
    columns = (TextColumn("{task.description:<44}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: list[TaskState] = []
    peak = 0
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("waiting for the scheduler", total=None)
        last = ""
        for tasks in states:
            over = sum(t.state in DONE | BAD for t in tasks)
            now = ", ".join(sorted({t.task.rsplit(".")[-1] for t in tasks if t.state == "running"}))
            if now and now != last and not console.is_terminal:
                console.print(f"  {over:3d} of {len(tasks):3d} tasks done, running: {now}")
            last = now or last
            peak = max(peak, server.memory())
            progress.update(bar, total=len(tasks), completed=over, description=(now or "scheduling")[:44])
    return tasks, peak


def _require_success(rest: AirflowRest, dag: str, run: str, tasks: list[TaskState], server: LocalAirflow) -> None:
    if rest.run(dag, run)["state"] == "success":
        return
    bad = [f"{t.task}[{t.map_index}] (try {t.tries})" for t in tasks if t.state == "failed"]
    raise RunFailed(
        f"The run failed in {', '.join(bad) or 'no task of its own'}. "
        f"See {server.url}/dags/{dag}/runs/{run} and the logs below {Path(server.home) / 'logs'}."
    )


def summarise(rest: AirflowRest, run: str, tasks: list[TaskState], dag: str) -> dict[str, Any]:
    """What the run did: shards computed and reused, its wall seconds, and the share outside the operators' work."""
    results = []
    for task in tasks:
        if task.state == "success" and task.task not in SERVING:
            results.append(rest.summary(dag, run, task))
    record = rest.run(dag, run)
    wall = (datetime.fromisoformat(record["end_date"]) - datetime.fromisoformat(record["start_date"])).total_seconds()
    work = _covered([(r["began"], r["ended"]) for r in results])
    computed = sum(r["computed"] for r in results)
    return {
        "tasks": len(results),
        "computed": computed,
        "reused": sum(r["shards"] for r in results) - computed,
        "wall_seconds": round(wall, 1),
        "work_seconds": round(work, 1),
        "overhead_seconds": round(wall - work, 1),
    }


def _covered(spans: list[tuple[float, float]]) -> float:
    """Seconds in which at least one operator was at work."""
    total = 0.0
    reached = 0.0
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return total
