"""Reads what a store's pilots tried, and says of each that tells nothing why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tracemill.distill.pilot import Pilot
from tracemill.engine.categories import named
from tracemill.engine.ids import normalised
from tracemill.engine.store import Store
from tracemill.recipe import Recipe
from tracemill.report.piloted import is_todays, sealed_pilot, to_run

Kind = tuple[str | None, str | None]  # a category and a difficulty
GROUP = ("category", "difficulty")
_TRIED = ["problem_id", *GROUP, "prompt_tokens", "completion_tokens", "told", "passed"]


@dataclass(frozen=True)
class Piloted:
    """What one pilot tried: its rows of `piloted` and of `strata`, in the spelling of routes."""

    name: str
    pilot: Pilot
    rows: pl.DataFrame
    strata: pl.DataFrame

    @property
    def teacher(self) -> str:
        """The name of its teacher's model."""
        return self.pilot.teacher.model.name


def read(recipe: Recipe, store: Store, name: str) -> Piloted | str:
    """A sealed pilot's tables; a sentence where they tell nothing of who solved what."""
    pilot = recipe.steps[name]
    assert isinstance(pilot, Pilot)
    assert pilot.forecast
    sealed = sealed_pilot(store, name)
    again = to_run(recipe, store, name)
    if sealed is None:
        return f"{name}: has not run yet: {again}"
    if not is_todays(recipe, store, name, sealed):
        return f"{name}: tried its teacher with other settings than the recipe has now: {again}"
    if not pilot.teacher.policy.judged_by:
        return f"{name}: its teacher's policy judges nothing: give it `until_pass` with verifiers"
    if pilot.forecast.labels == "annotator":
        return f"{name}: goes by an annotator's labels, and what it tried is kept by those of the sources"
    rows = pl.DataFrame(store.get_table(sealed.tables["piloted"]))
    if "passed" not in rows.columns:
        return f"{name}: ran before it was kept who solved what: raise its `refit`, which pays no answer again"
    counted = rows.drop_nulls(["prompt_tokens", "completion_tokens"])
    if rows.height and counted.is_empty():
        return f"{name}: its server counted no tokens"
    strata = pl.DataFrame(store.get_table(sealed.tables["strata"]))
    return Piloted(name, pilot, _folded(counted.select(_TRIED)), _folded(strata))


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    """Categories and difficulties in the one spelling by which routes know them."""
    category = pl.col("category").map_elements(named, pl.String)
    difficulty = pl.col("difficulty").map_elements(normalised, pl.String)
    return rows.with_columns(category, difficulty)


def alike(recipe: Recipe, found: Sequence[Piloted]) -> tuple[list[Piloted], list[Piloted]]:
    """The pilots of the population that most of them try, and the others."""
    by: dict[tuple[object, ...], list[Piloted]] = {}
    for one in found:
        by.setdefault(_population(recipe, one), []).append(one)
    largest = min(by, key=lambda key: (-len(by[key]), key[0] != "all", sorted(one.name for one in by[key])))
    return by[largest], [one for key, own in by.items() if key != largest for one in own]


def _population(recipe: Recipe, one: Piloted) -> tuple[object, ...]:
    """What decides of which problems a pilot chooses, but for `where` and `unless`, which take whole groups."""
    scope = one.pilot.forecast
    assert scope
    if scope.problems == "all":
        return ("all", scope.sources)
    before = [
        name
        for name, step in recipe.before(one.name)
        if not isinstance(step, Pilot) and {"generations", "verdicts"} & set(step.writes)
    ]
    return ("unverified", scope.sources, scope.verified_by, tuple(before))
