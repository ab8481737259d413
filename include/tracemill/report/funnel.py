"""Shows where every row of a recipe went, step by step, from the manifests alone; tolerates a run that is not done."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tracemill.engine.pipeline import PLAN
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.engine.tally import Stage, add_up
from tracemill.errors import MissingInput
from tracemill.recipe import Recipe, stored_recipe
from tracemill.report.idle import idle_routes
from tracemill.report.spent import spent

_NUMBERS_SHOWN = 6


class Funnel(BaseModel):
    """All stages of a recipe in order. `complete`: every shard of every step is sealed."""

    recipe: str
    complete: bool
    steps: list[Stage]


def funnel(recipe: Recipe, store: Store) -> Funnel:
    """Add up what is sealed. Reads manifests only, no rows."""
    stages = list(_stages(recipe, store))
    return Funnel(recipe=recipe.name, complete=not any(stage.missing for stage in stages), steps=stages)


def recipe_of(store: Store) -> Recipe:
    """The recipe that this store was run with. Raises MissingInput when nothing ran here yet."""
    try:
        return stored_recipe(store)
    except FileNotFoundError:
        raise MissingInput(
            f"nothing was run on {store.root} yet: start with `tracemill run RECIPE --root URL`"
        ) from None


def print_funnel(store: Store, console: Console) -> None:
    """Print the funnel of the store's own recipe as a table for people, and what was spent where it gives prices."""
    recipe = recipe_of(store)
    found = funnel(recipe, store)
    console.print(funnel_table(found))
    if (until := spent(recipe, store)).money is not None:
        console.print(until.line, highlight=False)
    for stage in found.steps:
        if stage.missing:
            console.print(f"[yellow]{stage.step}: {_missing(stage)}[/yellow]")
    for said in idle_routes(recipe, store):
        console.print(f"[yellow]{escape(said)}[/yellow]", soft_wrap=True)


def funnel_table(found: Funnel) -> Table:
    """The stages as a table, one line a reason; a reason is folded, never cut, on a narrow screen."""
    table = Table(title=f"Recipe {found.recipe}: where every row went", title_justify="left", box=SIMPLE_HEAD)
    numbers = {"entered", "kept", "rows", "seconds"}
    for name in ("step", "unit", "entered", "kept", "turned away", "rows", "seconds"):
        right = name in numbers
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for stage in found.steps:
        for line in _lines(stage):
            table.add_row(*(Text(cell) for cell in line))
    return table


def _lines(stage: Stage) -> Iterator[tuple[str, ...]]:
    away: list[tuple[str, int | None]] = list(stage.rejected.items())
    away += [(f"{reason} (quarantined)", count) for reason, count in stage.quarantined.items()]
    first, *rest = away or [("", None)]
    numbers = (f"{stage.entered:,}", f"{stage.kept:,}")
    yield stage.step, stage.unit, *numbers, first[0], _number(first[1]), f"{stage.seconds or 0.0:,.1f}"
    for reason, count in rest:
        yield "", "", "", "", reason, _number(count), ""


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _missing(stage: Stage) -> str:
    numbers = ", ".join(str(number) for number in stage.missing[:_NUMBERS_SHOWN])
    more = ", ..." if len(stage.missing) > _NUMBERS_SHOWN else ""
    return f"{len(stage.missing)} shard(s) not sealed yet ({numbers}{more}); run again to continue"


def _stages(recipe: Recipe, store: Store) -> Iterator[Stage]:
    count = _count(store)
    for name, step in recipe.pipeline().items():
        wanted = range(count) if step.shape == "map" else range(1)
        found = dict(zip(wanted, store.manifests((name, index) for index in wanted), strict=True))
        missing = [index for index, manifest in found.items() if manifest is None]
        sealed = [manifest for manifest in found.values() if manifest is not None]
        if step.shape == "map" and store.manifest(PLAN, 0) is None:
            missing = [0]
        yield add_up(name, step.unit, step.shape, sealed, missing, clock=True)


def _count(store: Store) -> int:
    try:
        return shard_count(store)
    except MissingInput:
        return 0
