"""Adds up scores to grades: one row per problem, model and mode, with what can be said of the model's pass rate.

DeepDistill (arXiv 2504.17565), section 2.4, equations 5 and 6. The numbers are of decided samples alone: one whose
score could not be told is in no numerator and no denominator. Null is what is not defined:

pass rate, interval, mean, highest    of no decided sample
deviation, coefficient of variation   of fewer than two: a single number has no spread
coefficient of variation              where the mean is 0
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import polars as pl

from tracemill.grade.intervals import pass_rate_interval

KEY = ("problem_id", "teacher", "mode")
UNGRADED = "ungraded"


class Bands(NamedTuple):
    """What a pass rate is called: `hopeless` up to one, `easy` from the other, `usable` between; of how many decided.

    `interval`: the share of the Beta posterior that lies between `low` and `high`. `ddof`: what is taken from the
    number of scores in the deviation's denominator.
    """

    hopeless: float
    easy: float
    least_decided: int
    interval: float
    ddof: Literal[0, 1]


def graded(scores: pl.DataFrame, spent: pl.DataFrame, asked: pl.DataFrame, bands: Bands) -> pl.DataFrame:
    """The rows of `grades` for each row of `asked` (KEY, category, threshold), in its order.

    `scores`: KEY, sample_index, score and passed of each sample. `spent`: KEY, tokens and seconds of each response,
    also of one that is no sample. A model that never answered was asked 0.
    """
    counted = scores.group_by(KEY).agg(_asked(), *_counts(), *_moments(bands.ddof))
    cost = spent.group_by(KEY).agg(_total("tokens"), _total("seconds"))
    joined = asked
    for part in (counted, cost):
        joined = joined.join(part, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    joined = joined.with_columns(pl.col("asked", "decided", "passed").fill_null(0).cast(pl.Int32))
    low, high = pass_rate_interval(joined["passed"].to_numpy(), joined["decided"].to_numpy(), bands.interval)
    rate = pl.when(pl.col("decided") > 0).then(pl.col("passed") / pl.col("decided"))
    spread = pl.Series("low", low).fill_nan(None), pl.Series("high", high).fill_nan(None)
    return joined.with_columns(rate.alias("pass_rate"), *spread).with_columns(_grade(bands).alias("grade"))


def _asked() -> pl.Expr:
    """Samples that were asked for. One that is missing below the highest number was asked for and not answered."""
    highest = pl.col("sample_index").max().fill_null(-1) + 1
    return pl.max_horizontal(highest, pl.len().cast(pl.Int32)).alias("asked")


def _counts() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("score").count().alias("decided"), pl.col("passed").sum().alias("passed")


def _moments(ddof: Literal[0, 1]) -> tuple[pl.Expr, ...]:
    """Mean, deviation, coefficient of variation and highest of the decided scores; equal ones deviate by 0."""
    score = pl.col("score")
    equal = score.max() == score.min()
    deviation = pl.when(score.count() >= 2).then(pl.when(equal).then(0.0).otherwise(score.std(ddof=ddof)))
    variation = pl.when(score.mean() > 0).then(deviation / score.mean())
    return (
        score.mean().alias("mean"),
        deviation.alias("deviation"),
        variation.alias("variation"),
        score.max().alias("highest"),
    )


def _total(name: str) -> pl.Expr:
    """The sum of what is known; null where nothing is."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def _grade(bands: Bands) -> pl.Expr:
    rate = pl.col("pass_rate")
    return (
        pl.when(pl.col("decided") < bands.least_decided)
        .then(pl.lit(UNGRADED))
        .when(rate <= bands.hopeless)
        .then(pl.lit("hopeless"))
        .when(rate >= bands.easy)
        .then(pl.lit("easy"))
        .otherwise(pl.lit("usable"))
    )
