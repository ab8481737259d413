"""`tracemill routes`: which teacher to ask which problems, from what the pilots measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out


def routes(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="The share of problems that a cheaper plan may leave unsolved."),
    ] = 0.05,
    steps: Annotated[
        bool, typer.Option("--steps", help="Print nothing but the steps for the recipe, as YAML.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose which teacher is asked which problems, from pilots that tried several teachers on the same ones.

    By category and difficulty: what each teacher solved and took, and the plan of the least cost for a solved problem,
    one teacher or several, each asked where those before it failed. Then what the plans take and solve of all problems
    beside each teacher alone, and the steps to paste into the recipe. Nothing is asked or written.

    Examples:

        tracemill run mine --root var/store/mine/v1 --until pilot_large

        tracemill routes var/store/mine/v1

        tracemill routes var/store/mine/v1 --tolerance 0.02 --steps > steps.yaml
    """
    from tracemill.engine.store import Store
    from tracemill.report.funnel import recipe_of
    from tracemill.report.routes import lines
    from tracemill.report.routes.proposal import routes as proposed

    store = Store.at(root)
    found = proposed(recipe_of(store), store, tolerance)
    if as_json:
        print(json.dumps(lines.as_data(found), ensure_ascii=False))
        return
    if steps:
        print(lines.pasted(found), end="")
        return
    _print("What the pilots measured", lines.measured_head(found), lines.measured_rows(found))
    _print("Whom to ask", lines.PROPOSED, lines.proposed_rows(found))
    _print("What all of them take and solve", lines.total_head(found), lines.total_rows(found))
    for said in lines.cautions(found):
        out.print(escape(said), soft_wrap=True)
    out.print(escape(f"\n{lines.pasted(found)}"), soft_wrap=True, end="")


def _print(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    shown = Table(*head)
    shown.title = title
    shown.title_justify = "left"
    for row in rows:
        shown.add_row(*map(escape, row))
    out.print(shown)
