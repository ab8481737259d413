"""What several teachers were tried on: their pilots' problems side by side, as far as these can be compared.

Pilots choose problems by their ids, so those of one population try the same ones. Pilots of other populations, as of
one that stands behind another teacher and is asked what that one left, are left out and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from tracemill.distill.pilot import Pilot
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.recipe import Recipe
from tracemill.report.routes.pilots import GROUP, Kind, Piloted, alike, read
from tracemill.report.spending import Tariff, currency


@dataclass(frozen=True)
class Tried:
    """`pilots` by their teachers' names, in the order of these. `rows`: one a problem, with `tokens:T`, `money:T`,
    `told:T` and `passed:T` of each teacher T that was tried on it. `sizes`: the problems of each category and
    difficulty, in the spelling of routes, and whom each of their problems can be asked.

    `currency` is that of the money; "" where it is not known of every teacher. `notes` say which pilots and problems
    are in no comparison, and why.
    """

    pilots: Mapping[str, tuple[str, Pilot]]
    rows: pl.DataFrame
    sizes: Mapping[Kind, tuple[int, tuple[str, ...]]]
    currency: str
    notes: tuple[str, ...]


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
    every = [read(recipe, store, name) for name in wanted]
    left_out = [said for said in every if isinstance(said, str)]
    usable = [one for one in every if isinstance(one, Piloted)]
    if not usable:
        raise MissingInput(f"no pilot of {store.root} tells who solved what: {'; '.join(sorted(left_out))}")
    kept, others = alike(recipe, usable)
    left_out += [
        f"{one.name}: tries other problems than {', '.join(sorted(known.name for known in kept))}, so its teacher "
        "cannot be compared: give all pilots the same `forecast`, and no step that solves problems between them"
        for one in others
    ]
    return _together(recipe, store, kept, tuple(sorted(left_out)))


def _together(recipe: Recipe, store: Store, found: Sequence[Piloted], left_out: tuple[str, ...]) -> Tried:
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
    sizes = dict(_sizes(found))
    notes = (*left_out, *_fewer(found), *_alone(rows, sizes))
    return Tried(pilots, rows.sort("problem_id"), sizes, currencies.pop() if known else "", notes)


def _priced(one: Piloted, price: tuple[float, float] | None) -> pl.DataFrame:
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


def _fewer(found: Sequence[Piloted]) -> Iterator[str]:
    """Pilots that could choose of fewer problems of some group than another one."""
    most = pl.concat([one.strata.group_by(GROUP).agg(pl.col("problems").sum()) for one in found])
    largest = most.group_by(GROUP).agg(pl.col("problems").max().alias("most"))
    for one in sorted(found, key=lambda one: one.name):
        own = one.strata.group_by(GROUP).agg(pl.col("problems").sum()).join(largest, on=GROUP, nulls_equal=True)
        if gone := int((own["most"] - own["problems"]).sum()):
            yield (
                f"{one.name}: steps before it turned {gone:,} problems away of which another chose; if one teacher's "
                "server refused them, that one seems better here than it is: put all pilots before the first `distill`"
            )


def _alone(rows: pl.DataFrame, sizes: Mapping[Kind, tuple[int, tuple[str, ...]]]) -> Iterator[str]:
    """Teachers that were tried on problems on which not all others of their group were."""
    compared = Counter[str]()
    for (category, difficulty), (_, names) in sizes.items():
        own = rows.filter(pl.col(GROUP[0]).eq_missing(category), pl.col(GROUP[1]).eq_missing(difficulty))
        common = own.drop_nulls([f"tokens:{name}" for name in names]).height
        compared.update(dict.fromkeys(names, common))
    for name in sorted(compared):
        every = rows[f"tokens:{name}"].count()
        if compared[name] < every:
            yield (
                f"{name}: of {every:,} problems that it was tried on {compared[name]:,} are compared, those that all "
                "were tried on"
            )


def _sizes(found: Sequence[Piloted]) -> Iterator[tuple[Kind, tuple[int, tuple[str, ...]]]]:
    """How many problems each group has; fewer where a step between the pilots turned some away."""
    every = pl.concat([one.strata.select(pl.lit(one.teacher).alias("teacher"), *GROUP, "problems") for one in found])
    each = every.group_by("teacher", *GROUP).agg(pl.col("problems").sum())
    groups = each.group_by(GROUP).agg(pl.col("problems").min(), pl.col("teacher").sort())
    for category, difficulty, problems, teachers in groups.sort(GROUP, nulls_last=True).rows():
        yield (category, difficulty), (problems, tuple(teachers))
