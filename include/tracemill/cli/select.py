"""`tracemill select`: what a selection by difficulty takes, and what other settings would change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    from tracemill.report.what_if import WhatIf


def select(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    what_if: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Another setting of the step. May be repeated.")
    ] = None,
    step: Annotated[str | None, typer.Option(help="The step. [default: the first of kind stage_one]")] = None,
    as_json: AsJson = False,
) -> None:
    """Count by category what a selection by difficulty takes, and what changes with other settings. Writes nothing.

    Gained and lost are problems of which responses are taken now and were not before, or the other way round.

    Examples:

        tracemill select var/store/mine/v1 --what-if variation=0.3

        tracemill select var/store/mine/v1 --what-if thresholds.other=0.8 --what-if easy_share=0

        tracemill select var/store/mine/v1 --step stage_two --what-if most.math=50000
    """
    from tracemill.engine.store import Store
    from tracemill.report.funnel import recipe_of
    from tracemill.report.what_if import what_if as selected

    store = Store.at(root)
    found = selected(recipe_of(store), store, what_if or [], step)
    if as_json:
        told = {"step": found.step, "asked": found.asked, "read": found.read}
        print(json.dumps({**told, "categories": found.counts.to_dicts(), "verdicts": found.verdicts.to_dicts()}))
    else:
        _print(found)


def _print(found: WhatIf) -> None:
    asked = ", ".join(f"{key}={value}" for key, value in found.asked.items()) or "its own settings"
    out.print(escape(f"{found.step} with {asked}, from the table {found.read}; nothing was written."), soft_wrap=True)
    table = Table("category", "problems", "then", "gained", "lost", "responses", "then")
    order = ("problems_was", "problems_is", "gained", "lost", "responses_was", "responses_is")
    for row in [*found.counts.to_dicts(), {"category": "all", **found.counts.sum().to_dicts()[0], "sum": True}]:
        name = "all" if row.pop("sum", False) else str(row["category"])
        table.add_row(escape(name), *(f"{row[key]:,}" for key in order))
    out.print(table)
    rules = Table("category", "was", "is", "problems")
    for row in found.verdicts.filter(found.verdicts["was"] != found.verdicts["is"]).to_dicts():
        rules.add_row(*(escape(str(row[key])) for key in ("category", "was", "is")), f"{row['problems']:,}")
    if rules.row_count:
        out.print(rules)
