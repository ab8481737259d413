"""`tracemill forecast`: what the teachers of a run will take, and what they took."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    from tracemill.report.forecast import Quantity


def forecast(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    as_json: AsJson = False,
) -> None:
    """Say what each teacher will take of tokens, hours and money, as 90 % intervals, from the recipe's pilots.

    Once a teacher is done, what it took stands beside, and before that whether the run's cost_limit would be reached.
    Nothing is asked or written.

    Examples:

        tracemill run mine --root var/store/mine/v1 --until pilot

        tracemill forecast var/store/mine/v1
    """
    from tracemill.engine.store import Store
    from tracemill.local.limits import limit_now
    from tracemill.report.forecast import forecasts, left_out, sentence, together
    from tracemill.report.funnel import recipe_of

    store = Store.at(root)
    recipe = recipe_of(store)
    found = forecasts(recipe, store)
    if as_json:
        told = [{**asdict(one), "quantities": list(map(_plain, one.quantities))} for one in found]
        whole = {"teachers": told, "together": list(map(_plain, together(found)))}
        print(json.dumps({**whole, "left_out": left_out(recipe, store, found)}))
        return
    for one in found:
        out.print(escape(sentence(one)), soft_wrap=True)
        out.print(_table(one.quantities))
    if len(found) > 1:
        out.print("All teachers together, their ends added:")
        out.print(_table(together(found)))
    for lacking in left_out(recipe, store, found):
        out.print(escape(lacking), soft_wrap=True)
    if said := _of_the_limit(together(found)[-1], limit_now(recipe, store)):
        out.print(escape(said), soft_wrap=True)


def _of_the_limit(money: Quantity, limit: float | None) -> str:
    """Whether a limit would be reached before the teachers are done; "" where it would not, or nobody can know."""
    if limit is None or money.total is None or money.actual is not None or money.total.high <= limit:
        return ""
    word = "would" if money.total.low > limit else "may"
    return f"The cost_limit of {limit:g} {money.unit} {word} be reached before: the run pauses then."


def _plain(quantity: Quantity) -> dict[str, Any]:
    return {**asdict(quantity), "held": quantity.held}


def _table(quantities: Sequence[Quantity]) -> Table:
    from tracemill.report.forecast import HEAD, lines

    table = Table(*HEAD)
    for name, *rest in lines(quantities):
        table.add_row(escape(name), *rest)
    return table
