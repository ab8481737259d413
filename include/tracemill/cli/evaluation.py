"""`tracemill evaluate`: what models score on benchmarks, and how far that can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    from tracemill.report.evaluation import Evaluation


def evaluate(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    to: Annotated[
        Path | None, typer.Option(help="Write page, picture, items and logs to this new or empty folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show pass@1 of each model on each benchmark, with its interval, the difference it could see and what was cut.

    The recipe's `evaluate` step must have run (`tracemill run RECIPE`, or the DAG `evaluate`). `--to` writes README.md
    with the papers' scores beside it, scores.png, every item, every answer on which plain math-verify differs, and logs
    that `inspect view` opens.

    Examples:

        tracemill evaluate var/store/evaluate_demo/v1

        tracemill evaluate s3://bucket/evaluate_papers/v1 --to var/evaluations/student
    """
    from tracemill.engine.store import Store
    from tracemill.report.evaluation import evaluation
    from tracemill.report.evaluation_folder import lay_out
    from tracemill.report.funnel import recipe_of

    store = Store.at(root)
    found = evaluation(recipe_of(store), store)
    if to is not None:
        lay_out(found, to)
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False))
        return
    _print(found)
    if to is not None:
        out.print(f"Evaluation: {escape(str(to))}", soft_wrap=True)


def _print(found: Evaluation) -> None:
    from tracemill.report.evaluation_page import model, per_cent

    scores = Table("benchmark", "model", "pass@1", f"{found.level:.0%} interval", "seen", "cut", "items", "samples")
    for row in found.scores.iter_rows(named=True):
        interval = f"{per_cent(row['low'])} to {per_cent(row['high'])}" if row["pass_at_1"] is not None else ""
        shares = (per_cent(row["pass_at_1"]), interval, per_cent(row["visible"]), per_cent(row["cut"]))
        counts = (f"{row['answered']:,}/{row['items']:,}", f"{row['decided']:,}/{row['asked']:,}")
        scores.add_row(escape(row["title"]), escape(model(row)), *shares, *counts)
    out.print(scores)
    for row in found.differences.iter_rows(named=True):
        told = f"{per_cent(row['low'], True)} to {per_cent(row['high'], True)}"
        out.print(
            f"{escape(row['title'])}: {escape(model(row))} less {escape(model(row, 'other', 'other_mode'))} is "
            f"{per_cent(row['difference'], True)} ({told}; differences from {per_cent(row['visible'])} are seen)",
            soft_wrap=True,
        )
    if found.opinions.height:
        out.print(f"Plain math-verify says something else of {found.opinions.height:,} answers.")


def mount(app: typer.Typer) -> None:
    """Make this command a command of `app`."""
    app.command()(evaluate)
