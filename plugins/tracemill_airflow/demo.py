"""Starts Airflow if need be, triggers a recipe, shows progress and prints the result: `make demo` and others."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tracemill.engine.connections import url_of
from tracemill.engine.resources import Resources
from tracemill.errors import ServingError
from tracemill.models.server.command import on_cpu, vllm_python
from tracemill_airflow.local import PROJECT, AirflowNotReady, LocalAirflow, start
from tracemill_airflow.rest import AirflowRest, RunFailed, TaskState
from tracemill_airflow.settings import AHEAD

DAG = "reasoning_distillation"
DONE = {"success", "skipped"}
BAD = {"failed", "upstream_failed"}
ROOM_FOR_TWO = 10 * 2**30  # bytes: Airflow and its tasks hold 2.5 GiB, a server of the demo 2 GiB
SERVING = {"servers", "serve", "beside", "beside_programs"}  # tasks that seal no shard


def main(arguments: list[str] | None = None) -> int:
    """Run one recipe through Airflow from trigger to release; exit code 0 only when the run succeeded."""
    options = _options(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    try:
        return _demo(options, console)
    except (AirflowNotReady, RunFailed) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        console.print(
            "\nStopped watching; the run goes on in Airflow. `make demo` follows it again, `make stop` ends Airflow."
        )
        return 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tracemill demo", description=__doc__)
    parser.add_argument("--recipe", default="demo", help="recipe to run (default: demo)")
    parser.add_argument("--dag", default=DAG, help=f"DAG that runs it (default: {DAG})")
    parser.add_argument("--release", default="v1", help="name of the release (default: v1)")
    parser.add_argument("--home", type=Path, default=PROJECT / "var" / "airflow", help="Airflow's folder")
    parser.add_argument("--stop", action="store_true", help="stop Airflow when the run has ended")
    parser.add_argument("--json", action="store_true", help="print the summary as one line of JSON at the end")
    return parser.parse_args(arguments)


def _demo(options: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()
    room = model_servers()
    with console.status("starting Airflow (about 20 seconds) ..."):
        server = start(options.home, together(room))
    try:
        rest = AirflowRest(server.url, server.username, server.password)
        dag = options.dag
        rest.await_dag(dag)
        rest.ensure_pool("gpu", room)
        run = rest.trigger(dag, {"recipe": options.recipe, "release": options.release})
        console.print(f"Run [bold]{run}[/bold] of recipe {options.recipe!r}: {server.url}/dags/{dag}/runs/{run}")
        tasks, peak = _watch(rest.follow(dag, run), console, server)
        _require_success(rest, dag, run, tasks, server.url, options.home)
        summary = {**summarise(rest, run, tasks, dag), "peak_gib": round(peak / 2**30, 2)}
        report(options, summary, console)
        console.print(f"Airflow UI: {server.url}  login: {server.username} / {server.password}")
        console.print(f"All in all: {time.monotonic() - began:.0f} s")
        if options.json:
            print(json.dumps(summary))
    finally:
        if options.stop:
            server.stop()
    return 0


def together(room: int) -> dict[str, str]:
    """Airflow's settings for so many servers at once: they start ahead where they may, and take no stage its worker."""
    tasks = max(2, len(os.sched_getaffinity(0)))
    return {
        AHEAD: os.environ.get(AHEAD, "3" if room > 1 else "0"),
        "AIRFLOW__CORE__PARALLELISM": os.environ.get("AIRFLOW__CORE__PARALLELISM", str(tasks + room)),
    }


def model_servers() -> int:
    """How many model servers this machine holds at once: one on a GPU; without, the next one may start beside it where
    there is memory, since vLLM needs half a minute to come up (airflow.md in docs/design).
    """
    try:
        without_gpu = on_cpu(vllm_python(Resources()))
    except ServingError:
        return 1
    return 2 if without_gpu and psutil.virtual_memory().available > ROOM_FOR_TWO else 1


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


def _require_success(rest: AirflowRest, dag: str, run: str, tasks: list[TaskState], url: str, home: Path) -> None:
    if rest.run(dag, run)["state"] == "success":
        return
    bad = [f"{t.task}[{t.map_index}] (try {t.tries})" for t in tasks if t.state == "failed"]
    raise RunFailed(
        f"The run failed in {', '.join(bad) or 'no task of its own'}. "
        f"See {url}/dags/{dag}/runs/{run} and the logs below {home / 'logs'}."
    )


def summarise(rest: AirflowRest, run: str, tasks: list[TaskState], dag: str = DAG) -> dict[str, Any]:
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


def report(options: argparse.Namespace, summary: dict[str, Any], console: Console) -> None:
    """Print the funnel, where the release lies, and what the run cost."""
    from tracemill.engine.store import Store
    from tracemill.report.funnel import print_funnel
    from tracemill.report.publish import publish

    base = os.environ.get("TRACEMILL_STORE", url_of(options.home.parent / "store"))
    root = f"{base}/{options.recipe}/{options.release}"
    store = Store.at(root)
    print_funnel(store, console)
    target = options.home.parent / "releases" / options.recipe / options.release
    publish(store, target)
    if summary["computed"] == 0:
        console.print(f"Nothing was recomputed: all {summary['reused']} shards were sealed already.")
    else:
        console.print(f"Sealed {summary['computed']} shards, reused {summary['reused']}.")
    share = summary["overhead_seconds"] / max(summary["wall_seconds"], 0.1)
    wall = summary["wall_seconds"]
    overhead = summary["overhead_seconds"]
    console.print(f"Run: {wall} s, of which {overhead} s ({share:.0%}) outside the operators' work")
    console.print(f"Memory of Airflow and its tasks: {summary['peak_gib']} GiB at most")
    console.print(f"Release: {target}\nStore:   {root}")


if __name__ == "__main__":
    sys.exit(main())
