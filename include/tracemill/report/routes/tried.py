"""What several teachers were tried on: their pilots' problems side by side, as far as these can be compared.

Pilots choose problems by their ids, so those of one population try the same ones. Pilots of other populations, as of
one that stands behind another teacher and is asked what that one left, are left out and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from tracemill.distill.pilot import Pilot
from tracemill.engine.categories import named
from tracemill.engine.ids import normalised
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.recipe import Recipe
from tracemill.report.spending import Tariff, currency

GROUP = ("category", "difficulty")
_TRIED = ["problem_id", *GROUP, "prompt_tokens", "completion_tokens", "told", "passed"]


@dataclass(frozen=True)
class Tried:
    """`pilots` by their teachers' names, in the order of these. `rows`: one a problem, with `tokens:T`, `money:T`,
    `told:T` and `passed:T` of each teacher T that was tried on it. `sizes`: the problems of each category and
    difficulty, in the spelling of routes, and whom each of their problems can be asked.

    `currency` is that of the money; "" where it is not known of every teacher. `left_out` says which pilots tell
    nothing here, and why.
    """

    pilots: Mapping[str, tuple[str, Pilot]]
    rows: pl.DataFrame
    sizes: Mapping[tuple[str | None, str | None], tuple[int, tuple[str, ...]]]
    currency: str
    left_out: tuple[str, ...]


def tried(recipe: Recipe, store: Store) -> Tried:
    """Read the pilots of a store that can be compared.

    Raises RecipeError where no pilot forecasts, or two try a teacher of one name; MissingInput where none tells yet.
    """
    wanted = [name for name, step in recipe.steps.items() if isinstance(step, Pilot) and step.forecast]
    if not wanted:
        raise RecipeError(
            f"recipe {recipe.name!r} tries no teacher: put a `pilot` step with `forecast: {{problems: all}}` for each "
            "teacher before its `distill` step"
        )
    read = {name: _read(recipe, store, name) for name in wanted}
    left_out = [said for said in read.values() if isinstance(said, str)]
    usable = [one for one in read.values() if isinstance(one, _Read)]
    if not usable:
        raise MissingInput(f"no pilot of {store.root} tells who solved what: {'; '.join(sorted(left_out))}")
    kept, others = _alike(recipe, usable)
    left_out += [
        f"{one.name}: tries other problems than {', '.join(sorted(known.name for known in kept))}, so its teacher "
        "cannot be compared: give all pilots the same `forecast`, and no step that solves problems between them"
        for one in others
    ]
    return _together(recipe, store, kept, tuple(sorted(left_out)))


@dataclass(frozen=True)
class _Read:
    name: str
    pilot: Pilot
    rows: pl.DataFrame
    strata: pl.DataFrame

    @property
    def teacher(self) -> str:
        return self.pilot.teacher.model.name


def _read(recipe: Recipe, store: Store, name: str) -> _Read | str:
    """A sealed pilot's tables; a sentence where they tell nothing of who solved what."""
    pilot = recipe.steps[name]
    assert isinstance(pilot, Pilot)
    assert pilot.forecast
    sealed = store.manifest(name, 0)
    if sealed is None or "piloted" not in sealed.tables:
        return f"{name}: has not run yet: tracemill run {recipe.name} --root {store.root} --until {name}"
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
    return _Read(name, pilot, _folded(counted.select(_TRIED)), _folded(strata))


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    """Categories and difficulties in the one spelling by which routes know them."""
    category = pl.col("category").map_elements(named, pl.String)
    difficulty = pl.col("difficulty").map_elements(normalised, pl.String)
    return rows.with_columns(category, difficulty)


def _alike(recipe: Recipe, found: Sequence[_Read]) -> tuple[list[_Read], list[_Read]]:
    """The pilots of the population that most of them try, and the others."""
    by: dict[tuple[object, ...], list[_Read]] = {}
    for one in found:
        by.setdefault(_population(recipe, one), []).append(one)
    largest = min(by, key=lambda key: (-len(by[key]), key[0] != "all", sorted(one.name for one in by[key])))
    return by[largest], [one for key, own in by.items() if key != largest for one in own]


def _population(recipe: Recipe, one: _Read) -> tuple[object, ...]:
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


def _together(recipe: Recipe, store: Store, found: Sequence[_Read], left_out: tuple[str, ...]) -> Tried:
    pilots: dict[str, tuple[str, Pilot]] = {}
    for one in sorted(found, key=lambda one: one.teacher):
        if one.teacher in pilots:
            raise RecipeError(
                f"steps {pilots[one.teacher][0]!r} and {one.name!r} both try teacher {one.teacher!r}: give the two "
                "models names of their own"
            )
        pilots[one.teacher] = (one.name, one.pilot)
    tariff = Tariff(recipe, store)
    prices = {name: tariff.per_token(name) for name in pilots}
    currencies = {currency(pilot.teacher.model) for _, pilot in pilots.values()}
    known = len(currencies) == 1 and None not in prices.values()
    parts = [_priced(one, prices[one.teacher] if known else None) for one in found]
    keys = ["problem_id", *GROUP]
    rows = reduce(lambda one, other: one.join(other, on=keys, how="full", coalesce=True, nulls_equal=True), parts)
    return Tried(pilots, rows.sort("problem_id"), dict(_sizes(found)), currencies.pop() if known else "", left_out)


def _priced(one: _Read, price: tuple[float, float] | None) -> pl.DataFrame:
    """A pilot's rows, their columns named by the teacher."""
    prompt, completion = pl.col("prompt_tokens"), pl.col("completion_tokens")
    money = pl.lit(None, pl.Float64) if price is None else prompt * price[0] + completion * price[1]
    columns = {
        "tokens": prompt + completion,
        "money": money,
        "told": pl.col("told") > 0,
        "passed": pl.col("passed") > 0,
    }
    return one.rows.select(
        "problem_id", *GROUP, *(column.alias(f"{name}:{one.teacher}") for name, column in columns.items())
    )


def _sizes(found: Sequence[_Read]) -> Iterator[tuple[tuple[str | None, str | None], tuple[int, tuple[str, ...]]]]:
    """How many problems each group has; fewer where a step between the pilots turned some away."""
    every = pl.concat([one.strata.select(pl.lit(one.teacher).alias("teacher"), *GROUP, "problems") for one in found])
    each = every.group_by("teacher", *GROUP).agg(pl.col("problems").sum())
    groups = each.group_by(GROUP).agg(pl.col("problems").min(), pl.col("teacher").sort())
    for category, difficulty, problems, teachers in groups.sort(GROUP, nulls_last=True).rows():
        yield (category, difficulty), (problems, tuple(teachers))
