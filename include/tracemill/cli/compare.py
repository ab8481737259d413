"""`tracemill compare`: the teachers of a run side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out


def compare(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    to: Annotated[
        Path | None, typer.Option(help="Write the page, its pictures and the same numbers as Parquet to this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the teachers of a run side by side: what they solved, at what length, and what an accepted response cost.

    The run must be sealed up to its release. Nothing is written but the folder of --to.

    Examples:

        tracemill compare var/store/compare_demo/v1

        tracemill compare s3://bucket/mine/v1 --to reports/teachers
    """
    from tracemill.engine.store import Store
    from tracemill.report import comparison_files as files
    from tracemill.report.compare import compare as compared
    from tracemill.report.funnel import recipe_of

    store = Store.at(root)
    recipe = recipe_of(store)
    found = compared(recipe, store)
    if to is not None:
        files.write(found, to, f"Teachers of {recipe.name}")
    if as_json:
        told = {
            "shared": found.shared,
            "problems": found.problems,
            "answered": {name: problems for name, problems in found.answered.items() if name},
            "answered_by_all": found.answered[""],
            "silent": found.silent,
            "rates": found.rates.to_dicts(),
        }
        print(json.dumps({**told, "turned_away": found.turned_away.to_dicts(), "fits": found.fits.to_dicts()}))
        return
    out.print(f"{found.shared:,} of {found.problems:,} problems were solved by every teacher.")
    if found.silent:
        out.print(escape(files.silence(found)), soft_wrap=True)
    if unlike := files.unlike(found):
        out.print(escape(unlike), soft_wrap=True)
    _print(files.RATES, files.rate_rows(found))
    _print(files.FORM, files.form_rows(found))
    _print(files.SPENT, files.spent_rows(found))
    if found.fits.height:
        _print(files.FIT, files.fit_rows(found))
        out.print(files.cautioned(found), end="")
    if to is not None:
        out.print(escape(f"Page, pictures and Parquet: {to}"), soft_wrap=True)


def _print(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    shown = Table(*head)
    for row in rows:
        shown.add_row(*(escape(f"{value:,}" if isinstance(value, int) else str(value)) for value in row))
    out.print(shown)
