"""Compares labels of difficulty and category with those that sources published, whatever scale these are on.

A difficulty in words, or as a level from 1 to 5 (MATH), is compared in three classes: easy, medium, hard. On any scale
the order of problems can be compared: Kendall's tau-b, 1 where both put all problems in one order.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemill.engine.categories import named
from tracemill.engine.ids import DIFFICULTIES
from tracemill.engine.step import Inputs

_KEY = ("label", "source", "by", "theirs", "ours")
_MORE_WORDS = {"introductory": 2, "interview": 3, "competition": 4, "medium hard": 4}  # APPS and TACO
_RANKS = {word: place for place, word in enumerate(DIFFICULTIES, 1)} | _MORE_WORDS
_TAGS = {"math": "math", "coding": "code", "coding & debugging": "code"}  # tables 3 and 4 of 2503.19633; others differ
_PLACES = 1  # decimals of a published number, so that few values are counted


def class_pairs(inputs: Inputs, shard: int) -> pl.DataFrame:
    """label, source, by, theirs, ours and n: how often a source and a labeller put a problem in which class."""
    told = _problems(inputs, shard).join(_annotations(inputs, shard), on="id", how="inner")
    difficulty = told.select(
        pl.lit("difficulty").alias("label"), "source", "by", theirs=_class("rank"), ours=_class("word_rank")
    )
    tags = pl.col("tag").str.to_lowercase().replace_strict(_TAGS, default="another")
    category = told.filter(pl.col("category").is_in(["math", "code"])).select(
        pl.lit("category").alias("label"), "source", "by", theirs="category", ours=tags
    )
    return _counted(pl.concat([difficulty, category]))


def rank_pairs(inputs: Inputs, shard: int) -> pl.DataFrame:
    """The same columns, in numbers that grow with difficulty: a source's, and a labeller's or 1 - a pass rate."""
    problems = _problems(inputs, shard)
    theirs = pl.coalesce("rank", pl.col("difficulty_score").round(_PLACES)).alias("theirs")
    told = problems.join(_annotations(inputs, shard), on="id", how="inner")
    labelled = told.select(pl.lit("difficulty").alias("label"), "source", "by", theirs, ours="word_rank")
    graded = problems.join(_grades(inputs, shard), on="id", how="inner")
    solved = graded.select(pl.lit("difficulty").alias("label"), "source", "by", theirs, ours=1 - pl.col("pass_rate"))
    return _counted(pl.concat([labelled, solved.with_columns(pl.col("ours").round(2))]))


def rank_correlation(pairs: Mapping[tuple[float, float], int]) -> float | None:
    """Kendall's tau-b of pairs with their counts (Biometrika 33, 1945); None where a side has one value alone.

    No two problems are compared: the work is that of the table of both sides' distinct values.
    """
    left, right = ({value: k for k, value in enumerate(sorted({pair[side] for pair in pairs}))} for side in (0, 1))
    counts = np.zeros((len(left), len(right)))
    for (theirs, ours), count in pairs.items():
        counts[left[theirs], right[ours]] += count
    concordant = _later(counts)
    discordant = _later(counts[:, ::-1])
    apart = [(counts.sum() ** 2 - (counts.sum(axis=axis) ** 2).sum()) / 2 for axis in (1, 0)]
    if min(apart) == 0:
        return None
    return float((concordant - discordant) / sqrt(apart[0] * apart[1]))


def _later(counts: NDArray[np.float64]) -> float:
    """How many pairs of problems have the second one later on both sides."""
    behind = counts[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
    return float((counts[:-1, :-1] * behind[1:, 1:]).sum())


def _problems(inputs: Inputs, shard: int) -> pl.DataFrame:
    """id, source, category by its one name, rank (1 to 5, of a word or a level) and the source's number."""
    columns = ["id", "source", "category", "difficulty", "difficulty_score"]
    rows = pl.DataFrame(inputs.table("problems", columns, shard)).unique("id", keep="last", maintain_order=True)
    kinds = {name: named(name) for name in rows["category"].unique().drop_nulls()}
    word = pl.col("difficulty").str.to_lowercase().str.replace_all("[_-]", " ").str.strip_chars()
    level = word.str.extract(r"^(?:level )?([1-5])$").cast(pl.Float64)
    rank = pl.coalesce(level, word.replace_strict(_RANKS, default=None, return_dtype=pl.Float64))
    category = pl.col("category").replace_strict(kinds, default=None, return_dtype=pl.String)
    return rows.select("id", "source", "difficulty_score", category=category, rank=rank)


def _annotations(inputs: Inputs, shard: int) -> pl.DataFrame:
    """id, by, word_rank and tag of the problems that a model has labelled."""
    columns = ["problem_id", "annotator", "difficulty", "category"]
    rows = pl.DataFrame(inputs.table("annotations", columns, shard))
    rank = pl.col("difficulty").replace_strict(_RANKS, default=None, return_dtype=pl.Float64)
    return rows.select(id="problem_id", by="annotator", word_rank=rank, tag="category")


def _grades(inputs: Inputs, shard: int) -> pl.DataFrame:
    """id, by and pass_rate of the problems that a model has a grade of."""
    rows = pl.DataFrame(inputs.table("grades", ["problem_id", "teacher", "mode", "pass_rate", "grade"], shard))
    who = pl.concat_str(pl.lit("pass rate of "), "teacher", pl.coalesce(pl.lit(", ") + pl.col("mode"), pl.lit("")))
    return rows.filter(pl.col("grade") != "ungraded").select(id="problem_id", by=who, pass_rate="pass_rate")


def _class(rank: str) -> pl.Expr:
    value = pl.col(rank)
    word = pl.when(value < 3).then(pl.lit("easy")).when(value == 3).then(pl.lit("medium")).otherwise(pl.lit("hard"))
    return pl.when(value.is_not_null()).then(word)


def _counted(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.drop_nulls().group_by(_KEY).len("n").sort(_KEY)
