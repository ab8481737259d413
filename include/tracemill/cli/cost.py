"""`tracemill cost`: what a run has cost, and how much it may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    import polars as pl

    from tracemill.report.cost import Cost


def cost(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    limit: Annotated[
        float | None, typer.Option(help="Let the run cost so much in all from now on; what is paused goes on.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Write the same numbers as Parquet to this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run's servers held and used, what its stages asked for, and what an accepted response cost.

    Money follows from the prices in the recipe (api.price, serve.price) and is blank where it gives none. What a
    response cost, by teacher, source, category and the reason for which it was turned away, is known once the run is
    sealed up to its release.

    Examples:

        tracemill cost var/store/mine/v1

        tracemill cost var/store/mine/v1 --limit 50
    """
    from tracemill.engine.store import Store
    from tracemill.local.limits import raise_limit
    from tracemill.report.cost import cost as counted
    from tracemill.report.cost_files import write
    from tracemill.report.funnel import recipe_of
    from tracemill.report.spent import spent

    store = Store.at(root)
    recipe = recipe_of(store)
    if limit is not None:
        raise_limit(recipe, store, limit)
    found = counted(recipe, store)
    until = spent(recipe, store)
    if to is not None:
        write(found, to)
    if as_json:
        print(json.dumps({"spent": until.money, "currency": until.currency, "limit": until.limit, **_frames(found)}))
        return
    out.print(escape(until.line))
    _say(found)
    if to is not None:
        out.print(f"Parquet: {escape(str(to))}", soft_wrap=True)


def _frames(found: Cost) -> dict[str, Any]:
    traces = None if found.traces is None else found.traces.to_dicts()
    return {"servers": found.servers.to_dicts(), "stages": found.stages.to_dicts(), "traces": traces}


def _say(found: Cost) -> None:
    if found.servers.height:
        _print(found.servers.drop("server"), "What servers held and used, in device-seconds")
    if found.stages.height:
        _print(found.stages, "What stages asked for (an answer that two stages have is in both, and paid once)")
    if found.traces is None:
        out.print("What a response cost is known once the run is sealed up to its release.")
        return
    if found.unknown():
        out.print(
            f"What {found.unknown():,} responses cost is not known here: no server of this store wrote them. Where an "
            "earlier run had them answered, its own store tells."
        )
    for names, title in _VIEWS:
        _print(found.by(*names).drop("counted", "metered", "priced"), title)


_VIEWS = (
    (("teacher",), "By teacher"),
    (("source",), "By source"),
    (("category",), "By category"),
    (("step", "reason"), "By what became of them (accepted ones last)"),
)


def _print(rows: pl.DataFrame, title: str) -> None:
    shown = Table(*(name.replace("_", " ") for name in rows.columns))
    shown.title = title
    shown.title_justify = "left"
    for row in rows.iter_rows():
        shown.add_row(*(escape(_cell(value)) for value in row))
    out.print(shown)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
