"""Runs `demo_full`, then `evaluate_demo_full`, through Airflow, and writes the student's page: `make demo-full`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from tracemill_airflow.demo import airflow, argument_parser, report, store_root, told
from tracemill_airflow.following import run_through
from tracemill_airflow.local import PROJECT, LocalAirflow
from tracemill_airflow.rest import AirflowRest

# Recipes in the order in which they run, by the DAG that runs each: the first trains whom the second asks.
TRAINS = ("train_student_demo_full", "demo_full")
ASKS = ("evaluate", "evaluate_demo_full")
Ended = Callable[[str, dict[str, Any]], None]  # hears of a recipe whose run has succeeded, and of what it did


def main(arguments: list[str] | None = None) -> int:
    """From problems to the student's page; exit code 0 only when both runs succeeded."""
    parser = argument_parser("tracemill demo-full", __doc__)
    parser.add_argument("--page", type=Path, default=PROJECT / "var" / "demo_full" / "report", help="the page's folder")
    options = parser.parse_args(arguments)
    return told(lambda console: _demo(options, console), "make demo-full")


def _demo(options: argparse.Namespace, console: Console) -> None:
    def shown(recipe: str, summary: dict[str, Any]) -> None:
        if recipe == TRAINS[1]:
            report(argparse.Namespace(**{**vars(options), "recipe": recipe}), summary, console)

    with airflow(options, console) as (server, rest):
        ran = chain(options.release, rest, server, console, shown)
        gains = _page(options, ran, console)
    if options.json:
        print(json.dumps({"runs": ran, "gains": gains}))


def chain(
    release: str, rest: AirflowRest, server: LocalAirflow, console: Console, ended: Ended
) -> dict[str, dict[str, Any]]:
    """Run both recipes, the second once the first has succeeded and `ended` heard of it; what each did, by recipe.

    Raises RunFailed.
    """
    ran: dict[str, dict[str, Any]] = {}
    for dag, recipe in (TRAINS, ASKS):
        ran[recipe] = run_through(rest, dag, {"recipe": recipe, "release": release}, server, console)
        ended(recipe, ran[recipe])
    return ran


def _page(options: argparse.Namespace, ran: dict[str, dict[str, Any]], console: Console) -> list[dict[str, Any]]:
    """Write the page, and print what it says first; the gains by benchmark."""
    from tracemill.engine.store import Store
    from tracemill.report.student import student_report
    from tracemill.report.student_folder import lay_out
    from tracemill.report.student_page import verdicts

    found = student_report(*(Store.at(store_root(options, recipe)) for _, recipe in (TRAINS, ASKS)))
    page = lay_out(found, options.page, {recipe: summary["wall_seconds"] for recipe, summary in ran.items()})
    for line in verdicts(found):
        console.print(f"[bold]{line}[/bold]", soft_wrap=True)
    console.print(f"Page: {page}", soft_wrap=True)
    gains: list[dict[str, Any]] = found.gains.to_dicts()
    return gains


if __name__ == "__main__":
    sys.exit(main())
