"""Starts Airflow if need be, triggers a recipe, shows progress and prints the result: `make demo` and others."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from tracemill.engine.connections import url_of
from tracemill.engine.resources import Resources
from tracemill.errors import ServingError
from tracemill.models.server.command import on_cpu, vllm_python
from tracemill_airflow.following import run_through
from tracemill_airflow.local import PROJECT, AirflowNotReady, LocalAirflow, start
from tracemill_airflow.rest import AirflowRest, RunFailed
from tracemill_airflow.settings import AHEAD

DAG = "reasoning_distillation"
ROOM_FOR_TWO = 10 * 2**30  # bytes: Airflow and its tasks hold 2.5 GiB, a server of the demo 2 GiB


def main(arguments: list[str] | None = None) -> int:
    """Run one recipe through Airflow from trigger to release; exit code 0 only when the run succeeded."""
    parser = argument_parser("tracemill demo", __doc__)
    parser.add_argument("--recipe", default="demo", help="recipe to run (default: demo)")
    parser.add_argument("--dag", default=DAG, help=f"DAG that runs it (default: {DAG})")
    options = parser.parse_args(arguments)
    return told(lambda console: _demo(options, console), "make demo")


def told(work: Callable[[Console], None], command: str) -> int:
    """The exit code of what a person started by this command: 0, or 1 with the reason, or 130 when interrupted."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    try:
        work(console)
    except (AirflowNotReady, RunFailed) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        console.print(
            f"\nStopped watching; the run goes on in Airflow. `{command}` follows it again, `make stop` ends Airflow."
        )
        return 130
    return 0


def argument_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """The options of every demo."""
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("--release", default="v1", help="name of the release (default: v1)")
    parser.add_argument("--home", type=Path, default=PROJECT / "var" / "airflow", help="Airflow's folder")
    parser.add_argument("--stop", action="store_true", help="stop Airflow when the run has ended")
    parser.add_argument("--json", action="store_true", help="print the summary as one line of JSON at the end")
    return parser


@contextmanager
def airflow(options: argparse.Namespace, console: Console) -> Iterator[tuple[LocalAirflow, AirflowRest]]:
    """An Airflow that is up, and its API: the one that runs below `--home`, or a new one."""
    began = time.monotonic()
    room = model_servers()
    with console.status("starting Airflow (about 20 seconds) ..."):
        server = start(options.home, together(room))
    try:
        rest = AirflowRest(server.url, server.username, server.password)
        rest.ensure_pool("gpu", room)
        yield server, rest
        console.print(f"Airflow UI: {server.url}  login: {server.username} / {server.password}")
        console.print(f"All in all: {time.monotonic() - began:.0f} s")
    finally:
        if options.stop:
            server.stop()


def store_root(options: argparse.Namespace, recipe: str) -> str:
    """Where Airflow's runs have put a recipe's release."""
    base = os.environ.get("TRACEMILL_STORE", url_of(options.home.parent / "store"))
    return f"{base}/{recipe}/{options.release}"


def _demo(options: argparse.Namespace, console: Console) -> None:
    with airflow(options, console) as (server, rest):
        conf = {"recipe": options.recipe, "release": options.release}
        summary = run_through(rest, options.dag, conf, server, console)
        report(options, summary, console)
    if options.json:
        print(json.dumps(summary))


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


def report(options: argparse.Namespace, summary: dict[str, Any], console: Console) -> None:
    """Print the funnel, where the release lies, and what the run cost."""
    from tracemill.engine.store import Store
    from tracemill.report.funnel import print_funnel
    from tracemill.report.publish import publish

    root = store_root(options, options.recipe)
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
