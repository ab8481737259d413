"""`tracemill ablate`: whether each stage of a recipe helps the student that is trained on its release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, Root, out, told

if TYPE_CHECKING:
    from tracemill.ablate.outcome import Outcome


def ablate(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, the path of a YAML file, or its URL.")],
    root: Root,
    evaluation: Annotated[
        str, typer.Option(help="The recipe by which students are evaluated, in the place of the model it asks last.")
    ] = "evaluate_demo",
    stage: Annotated[
        list[str] | None, typer.Option(help="A stage to tick off. May be repeated. [default: all that it has]")
    ] = None,
    seeds: Annotated[int, typer.Option(min=5, help="Students of each set.")] = 5,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="What each is trained on. [default: as much as the smallest set has]")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Evaluate on so many items, by hash. [default: all]")] = None,
    interval: Annotated[float, typer.Option(help="How sure the intervals are.")] = 0.95,
    to: Annotated[
        Path | None, typer.Option(help="Write page, picture and Parquet to this new or empty folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tick off a recipe's stages one at a time and train students with and without: does each stage help?

    The recipe must have run to its release, and have the steps `prove` and `train`. Nothing is generated: the set
    without a stage is made of what was turned away. Every set has as many tokens; the controls are the whole recipe's
    and a random one. What was killed goes on where it was, and what is sealed is not made again.

    Examples:

        tracemill ablate student_demo --root var/store/student_demo/v1 --to var/ablations/demo

        tracemill ablate mine --root s3://bucket/mine/v1 --evaluation evaluate_papers --stage dedup --seeds 8
    """
    from tracemill.ablate.page import lay_out
    from tracemill.ablate.running import carried_out
    from tracemill.ablate.settings import settings_of
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.recipe import load_recipe

    given: dict[str, Any] = {"evaluation": evaluation, "seeds": seeds, "tokens": tokens, "rows": rows}
    asked = settings_of({**given, "stages": stage or [], "interval": interval})
    tell = (lambda _: None) if as_json else told
    found = carried_out(load_recipe(recipe), Store.at(root), asked, Resources(tell=tell))
    if to is not None:
        lay_out(found, to)
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    _print(found)
    if to is not None:
        out.print(f"Ablation: {escape(str(to))}", soft_wrap=True)


def _print(found: Outcome) -> None:
    from tracemill.ablate.page import ARMS, HEAD, arm_rows, first_line, gain_rows

    out.print(first_line(found), soft_wrap=True)
    for head, rows in ((HEAD, gain_rows(found)), (ARMS, arm_rows(found))):
        shown = Table(*head)
        for row in rows:
            shown.add_row(*(escape(f"{value:,}" if isinstance(value, int) else str(value)) for value in row))
        out.print(shown)


def mount(app: typer.Typer) -> None:
    """Make this command a command of `app`."""
    app.command()(ablate)
