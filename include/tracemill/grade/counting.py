"""Brings a response's end, its fate and its score together: what it counts for in the grade of its model."""

from __future__ import annotations

from typing import Literal, NamedTuple

import polars as pl

from tracemill.grade.samples import CUT, FILTERED, is_sample
from tracemill.grade.scores import EXACT, NOT_JUDGED


class Counting(NamedTuple):
    """What counts how: the settings of the step `grade` of the same names."""

    cut_answers: Literal["fail", "undecided"]
    turned_away: Literal["undecided", "judged", "fail"]
    at_threshold: Literal["pass", "fail"]


def counted(
    every: pl.DataFrame, problems: pl.DataFrame, found: pl.DataFrame, refuted: pl.DataFrame, by: Counting
) -> pl.DataFrame:
    """The rows of `scores`, in the order of `every`: one for each response that is a sample of its model.

    `every` are the rows of `samples`, `problems` of `standards`, `found` of `verify_scores`. One that is `refuted`
    (see there) before whoever scores by its rule could look at it did not pass, where the rule tells anything of its
    problem: else a model would be measured by what others let through.
    """
    known = problems.rename({"id": "problem_id"})
    rows = every.filter(is_sample()).join(known, on="problem_id", how="left", maintain_order="left")
    seen = found.with_columns(pl.lit(True).alias("seen"))
    rows = rows.join(seen, on=["id", "rule"], how="left", maintain_order="left")
    rows = rows.join(refuted, on="id", how="left", maintain_order="left")
    away = pl.col("away").is_not_null()
    cut = (pl.col("ended") == CUT).fill_null(False)
    filtered = (pl.col("ended") == FILTERED).fill_null(False)
    void = filtered | cut | away
    ruled = pl.col("score").is_not_null().any().over("problem_id")
    missed = ~void & pl.col("seen").is_null() & pl.col("refuted").is_not_null() & ruled
    failed = cut & (by.cut_answers == "fail") | ~cut & ~filtered & away & (by.turned_away == "fail") | missed
    numbers = [pl.when(failed).then(0.0).when(~void).then(pl.col(name)).alias(name) for name in ("raw", "score")]
    why = pl.coalesce("ended", "away", "reason", pl.when(missed).then("refuted"), pl.lit(NOT_JUDGED))
    rows = rows.with_columns(*numbers, why=why).with_columns(_passed(by.at_threshold).alias("passed"))
    silent = pl.col("score").is_not_null() & ~failed
    return rows.with_columns(reason=pl.when(~silent).then(pl.col("why")), generation_id=pl.col("id"))


def _passed(at_threshold: Literal["pass", "fail"]) -> pl.Expr:
    score = pl.col("score")
    threshold = pl.col("threshold").round(EXACT)
    return score >= threshold if at_threshold == "pass" else score > threshold
