"""What an ablation came to: what each stage gains, with its interval, and the smallest gain that could be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tracemill.ablate.arms import FULL, RANDOM, WITHOUT, Plan
from tracemill.ablate.deltas import F64, delta
from tracemill.ablate.settings import Ablation

EVERYTHING = "all"  # stands for the benchmark where all items are taken together
GAINS = {
    "stage": pl.String,
    "benchmark": pl.String,
    "seeds": pl.Int64,
    "items": pl.Int64,
    "score_with": pl.Float64,
    "score_without": pl.Float64,
    "gain": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "visible": pl.Float64,
    "call": pl.String,
}
ALL_STAGES = "all of them"  # the whole recipe against a random set


@dataclass(frozen=True)
class Outcome:
    """`gains`: the columns of GAINS, a row a stage and benchmark; a gain is what the score loses without the stage.

    `items`: what every student made of every item, from which they follow.
    """

    recipe: str
    ablation: Ablation
    plan: Plan
    gains: pl.DataFrame
    items: pl.DataFrame

    @property
    def visible(self) -> float | None:
        """The smallest gain that any of the comparisons could see; null where nothing varies."""
        found = self.gains["visible"].drop_nans().drop_nulls().min()
        return float(found) if isinstance(found, float) else None

    def as_dict(self) -> dict[str, Any]:
        """As JSON-like data, the smallest gain that could be seen first."""
        gains = [
            {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
            for row in self.gains.iter_rows(named=True)
        ]
        return {
            "visible": self.visible,
            "recipe": self.recipe,
            "settings": self.ablation.model_dump(mode="json"),
            "tokens": self.plan.tokens,
            "gains": gains,
            "arms": [arm.as_dict() for arm in self.plan.arms],
        }


def outcome(recipe: str, ablation: Ablation, plan: Plan, items: pl.DataFrame) -> Outcome:
    """Add up what all students of a plan made of items; those that were not decided for all of them are left out."""
    gains = pl.DataFrame(list(_gains(ablation, plan, items)), schema=GAINS)
    return Outcome(recipe, ablation, plan, gains, items)


def _gains(ablation: Ablation, plan: Plan, items: pl.DataFrame) -> Iterator[Mapping[str, Any]]:
    titles = dict(items.select("benchmark", "title").unique(maintain_order=True).iter_rows())
    sets = {title: items.filter(pl.col("benchmark") == benchmark) for benchmark, title in titles.items()}
    if len(sets) > 1:
        sets[EVERYTHING] = items
    for title, rows in sets.items():
        with_all = _rates(rows, FULL)
        for arm in plan.arms[1:]:
            shared, without = _both(with_all, _rates(rows, arm.name))
            stage = ALL_STAGES if arm.name == RANDOM else arm.name.removeprefix(WITHOUT)
            yield {"stage": stage, "benchmark": title, **_compared(shared, without, ablation.interval)}


def _compared(shared: F64, without: F64, level: float) -> dict[str, Any]:
    seeds, items = shared.shape
    if items < 2:
        return {"seeds": seeds, "items": items, "call": "not told"}
    found = delta(shared, without, level)
    return {
        "seeds": seeds,
        "items": items,
        "score_with": float(shared.mean()),
        "score_without": float(without.mean()),
        "gain": found.mean,
        **{name: getattr(found, name) for name in ("low", "high", "p", "visible")},
        "call": found.call(level),
    }


def _rates(items: pl.DataFrame, arm: str) -> pl.DataFrame:
    """One row an item that every seed has decided, and a column a seed: its pass rate."""
    own = items.filter(pl.col("arm") == arm)
    seeds = own["seed"].n_unique()
    rate = own.filter(pl.col("decided") > 0).with_columns(rate=pl.col("passed") / pl.col("decided"))
    whole = rate.group_by("benchmark", "problem_id").agg(pl.col("rate").sort_by("seed"), pl.len().alias("n"))
    return whole.filter(pl.col("n") == seeds).sort("benchmark", "problem_id").drop("n")


def _both(one: pl.DataFrame, other: pl.DataFrame) -> tuple[F64, F64]:
    """The tables of seeds and items that two arms share."""
    key = ["benchmark", "problem_id"]
    rows = one.join(other, on=key, how="inner", suffix="_other", maintain_order="left")
    if rows.is_empty():
        nothing = np.zeros((0, 0), np.float64)
        return nothing, nothing
    first, second = (np.array(rows[name].to_list(), np.float64).T for name in ("rate", "rate_other"))
    return first, second
