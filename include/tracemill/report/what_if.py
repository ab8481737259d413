"""Says what a selection by difficulty would take under other settings, from what is sealed; it writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import ValidationError

from tracemill.engine.categories import named
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.recipe import Recipe
from tracemill.report.kept_groups import KEEP_FROM, KeptGroups
from tracemill.report.seen import Seen
from tracemill.select.algorithm1 import Algorithm1
from tracemill.select.graded import Graded
from tracemill.select.stage_one import StageOne
from tracemill.text.spelling import explained, nearest

COUNTS = ("problems_was", "problems_is", "responses_was", "responses_is", "gained", "lost")
_OF_RESPONSES = ("thresholds", "at_threshold")  # settings by which responses are added up anew
_COINS = ("salt", "easy")  # settings of which kept groups know only the step's own
_COMPARED = """
SELECT category, was, "is", sum(problems)::BIGINT AS problems,
       coalesce(sum(problems) FILTER (had > 0), 0)::BIGINT AS problems_was,
       coalesce(sum(problems) FILTER (has > 0), 0)::BIGINT AS problems_is,
       sum(had * problems)::BIGINT AS responses_was, sum(has * problems)::BIGINT AS responses_is,
       coalesce(sum(problems) FILTER (had = 0 AND has > 0), 0)::BIGINT AS gained,
       coalesce(sum(problems) FILTER (had > 0 AND has = 0), 0)::BIGINT AS lost
FROM compared GROUP BY ALL
"""


@dataclass(frozen=True)
class WhatIf:
    """What step `step` would take with `asked` in place of its own settings; `read` names the table that told it.

    `verdicts`: one row a category and pair of rules (`was`, `is`), with `problems` as one model saw them. `counts`: one
    row a category with COUNTS: problems and responses that are taken, and problems that are gained and lost.
    """

    step: str
    asked: Mapping[str, Any]
    read: str
    verdicts: pl.DataFrame
    counts: pl.DataFrame


def what_if(
    recipe: Recipe,
    store: Store,
    changes: Sequence[str],
    step: str | None = None,
    machine: Resources | None = None,
    keep_from: int = KEEP_FROM,
) -> WhatIf:
    """Select anew with `changes` (KEY=VALUE; a key within a key after a dot), by default in the first such step.

    Of `keep_from` responses or more what was added up is kept on this machine for the next question (see
    report/kept_groups.py). Raises RecipeError for a step or key that there is not, and for a value that does not fit;
    MissingInput where the steps before are not sealed. Memory: one batch of responses, and for stage II the candidates.
    """
    resources = machine or Resources()
    name = _named(recipe, step)
    own = recipe.pipeline()[name]
    assert isinstance(own, Graded)
    asked = _changes(changes)
    other = _changed(own, asked)
    seen = Seen(recipe, store, name, resources)
    if isinstance(own, StageOne):
        parts, read = _first_stage(own, other, seen, KeptGroups.of(recipe, store, name, resources), keep_from)
        verdicts = parts.group_by("category", "was", "is").agg(pl.col("problems", *COUNTS).sum())
        there = set(verdicts["category"])
    else:
        there, verdicts = _second_stage(own, other, seen, resources.workers)
        read = "scores"
    _require_categories(asked, sorted(there))
    counts = verdicts.group_by("category").agg(pl.col(*COUNTS).sum()).sort("category")
    return WhatIf(name, asked, read, verdicts.sort("category", "was", "is"), counts)


def _first_stage(
    own: Graded, other: Graded, seen: Seen, kept: KeptGroups | None, keep_from: int
) -> tuple[pl.DataFrame, str]:
    """Each batch judged by both settings at once. Groups that were kept tell it where nothing is added up anew."""
    same = all(getattr(own, key) == getattr(other, key) for key in _OF_RESPONSES)
    coins = all(getattr(own, key) == getattr(other, key) for key in _COINS)
    if kept and same and coins and kept.is_there:
        with _rule(own, other, seen) as rule:
            rule.show_kept(kept.folder)
            return pl.DataFrame(rule.told(_COMPARED)), kept.read
    graded = same and seen.grades_tell(own)
    wanted = "grades" if graded else "scores"
    keeps = kept is not None and same and seen.rows >= keep_from
    keeping: AbstractContextManager[Path | None] = kept.making(wanted) if kept and keeps else nullcontext()
    parts = list[pl.DataFrame]()
    with _rule(own, other, seen) as rule, keeping as folder:
        for scores, grades in seen.batches(wanted, keeps or "drop" in (own.lucky, other.lucky)):
            rule.show(scores, grades, hold=folder is not None)
            parts.append(pl.DataFrame(rule.told(_COMPARED)))
            if folder is not None:
                rule.keep(folder, len(parts))
    return pl.concat(parts), wanted


def _rule(own: Graded, other: Graded, seen: Seen) -> Algorithm1:
    of_grades = {"graded_ddof": seen.graded_ddof, "least_decided": seen.least_decided}
    sides = [({**one.asked(), **of_grades}, one.limits()) for one in (own, other)]
    return Algorithm1(*sides[0], seen.threads, sides[1])


def _second_stage(own: Graded, other: Graded, seen: Seen, threads: int) -> tuple[set[str], pl.DataFrame]:
    """The categories that problems have, and the problems that each of the settings ranks first, compared by id."""
    there = set[str]()
    both = list[pl.DataFrame]()
    for settings in (own, other):
        asked = {**settings.asked(), "least_decided": seen.least_decided}
        with Algorithm1(asked, settings.limits(), threads) as rule:
            for scores, grades in seen.batches("responses", "drop" in (own.lucky, other.lucky)):
                rule.show(scores, grades)
                rule.remember_candidates()
                there.update(rule.told("SELECT DISTINCT category FROM groups")["category"].to_pylist())
            both.append(pl.DataFrame(rule.told("SELECT problem_id, category, chosen FROM stage_two")))
    joined = both[0].join(both[1], on="problem_id", how="full", coalesce=True, suffix="_is")
    had = pl.col("chosen").fill_null(False)
    has = pl.col("chosen_is").fill_null(False)
    return there, joined.group_by(
        pl.coalesce("category", "category_is").alias("category"),
        _said("chosen").alias("was"),
        _said("chosen_is").alias("is"),
    ).agg(
        pl.len().cast(pl.Int64).alias("problems"),
        *(_sum(had, name) for name in ("problems_was", "responses_was")),
        *(_sum(has, name) for name in ("problems_is", "responses_is")),
        _sum(has & ~had, "gained"),
        _sum(had & ~has, "lost"),
    )


def _said(column: str) -> pl.Expr:
    taken = pl.col(column)
    return pl.when(taken).then(pl.lit("annealing")).when(~taken).then(pl.lit("surplus")).otherwise(pl.lit("none"))


def _sum(flags: pl.Expr, name: str) -> pl.Expr:
    return flags.sum().cast(pl.Int64).alias(name)


def _named(recipe: Recipe, wanted: str | None) -> str:
    """The step that is meant. Raises RecipeError when it is none that selects by difficulty."""
    names = [name for name, step in recipe.pipeline().items() if isinstance(step, Graded)]
    if wanted is None and names:
        return names[0]
    if wanted not in names:
        called = f" named {wanted!r}{nearest(wanted, names)}" if wanted else ""
        raise RecipeError(f"recipe {recipe.name!r} has no step of kind stage_one or stage_two{called}")
    return wanted


def _changes(texts: Sequence[str]) -> dict[str, Any]:
    """The changes by key. Raises RecipeError for one that is said twice."""
    asked: dict[str, Any] = {}
    for key, value in map(_change, texts):
        if key in asked:
            raise RecipeError(f"--what-if: {key} is asked for twice, as {asked[key]} and {value}: ask one at a time")
        asked[key] = value
    return asked


def _change(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--what-if {text!r}: write KEY=VALUE, such as variation=0.3 or variations.math=0.3")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise RecipeError(f"--what-if {text!r}: the value cannot be read: {error}") from error


def _require_categories(asked: Mapping[str, Any], there: Sequence[str]) -> None:
    """Raises RecipeError for a category that no problem has: what was asked would change nothing, in silence."""
    for key in asked:
        inner = key.partition(".")[2]
        if inner and named(inner) not in there:
            raise RecipeError(f"--what-if {key}: no problem has the category {inner!r}{nearest(inner, there)}")


def _dotted(settings: Mapping[str, Any], inner: str) -> list[str]:
    """The keys that may be said by category."""
    return [f"{name}.{inner}" for name, value in settings.items() if isinstance(value, dict)]


def _changed(step: Graded, asked: Mapping[str, Any]) -> Graded:
    """The step with other settings. Raises RecipeError naming a key that it does not have, or a value that is wrong."""
    settings = step.model_dump(mode="json")
    for key, value in asked.items():
        name, _, inner = key.partition(".")
        if name not in settings or name == "kind":
            raise RecipeError(f"--what-if: {settings['kind']} has no key {name!r}{nearest(name, settings)}")
        if inner and not isinstance(settings[name], dict):
            inside = nearest(f"{name}s.{inner}", _dotted(settings, inner))
            raise RecipeError(f"--what-if: {name} has no keys within{inside}")
        settings[name] = {**settings[name], inner: value} if inner else value
    try:
        return type(step).model_validate(settings)
    except ValidationError as error:
        raise RecipeError("--what-if: " + "; ".join(explained(error, type(step)))) from None
