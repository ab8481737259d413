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


def counted(every: pl.DataFrame, problems: pl.DataFrame, found: pl.DataFrame, by: Counting) -> pl.DataFrame:
    """The rows of `scores`, in the order of `every`: one for each response that is a sample of its model.

    `every` are the rows of `samples`, `problems` of `standards`, `found` of `verify_scores`.
    """
    known = problems.rename({"id": "problem_id"})
    rows = every.filter(is_sample()).join(known, on="problem_id", how="left", maintain_order="left")
    rows = rows.join(found, on=["id", "rule"], how="left", maintain_order="left")
    away = pl.col("away").is_not_null()
    cut = (pl.col("ended") == CUT).fill_null(False)
    filtered = (pl.col("ended") == FILTERED).fill_null(False)
    void = filtered | cut | away
    failed = cut & (by.cut_answers == "fail") | ~cut & ~filtered & away & (by.turned_away == "fail")
    numbers = [pl.when(failed).then(0.0).when(~void).then(pl.col(name)).alias(name) for name in ("raw", "score")]
    why = pl.coalesce("ended", "away", "reason", pl.lit(NOT_JUDGED))
    rows = rows.with_columns(*numbers, why=why).with_columns(_passed(by.at_threshold).alias("passed"))
    silent = pl.col("score").is_not_null() & ~failed
    return rows.with_columns(reason=pl.when(~silent).then(pl.col("why")), generation_id=pl.col("id"))


def _passed(at_threshold: Literal["pass", "fail"]) -> pl.Expr:
    score = pl.col("score")
    threshold = pl.col("threshold").round(EXACT)
    return score >= threshold if at_threshold == "pass" else score > threshold
