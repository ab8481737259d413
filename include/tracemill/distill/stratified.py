"""Chooses the problems of a pilot: of each category and difficulty its share, within them by the hash that an id is."""

from __future__ import annotations

import polars as pl

_GROUP = ("category", "difficulty")
_END = 12  # characters of an id that order problems: hash digits, the same for whatever else there is


def stratified(problems: pl.DataFrame, count: int) -> pl.Series:
    """The ids of `count` of these problems (`id`, `category`, `difficulty`), or of all where there are fewer.

    Each stratum has its share, rounded down; what is left goes to the largest remainders, so a stratum is at most one
    problem away from its share. Within a stratum the ids whose ends are lowest are taken, so more problems of the
    others change nothing.
    """
    sizes = problems.group_by(_GROUP).agg(pl.len().cast(pl.Int64).alias("size")).sort(_GROUP)
    whole = max(1, problems.height)
    least = min(count, problems.height)
    shared = sizes.with_columns(
        (pl.col("size") * least // whole).alias("quota"), (pl.col("size") * least % whole).alias("over")
    )
    left = least - int(shared["quota"].sum())
    ranked = shared.sort("over", *_GROUP, descending=[True, False, False]).with_row_index("rank")
    quotas = ranked.select(*_GROUP, pl.col("quota") + (pl.col("rank") < left).cast(pl.Int64))
    end = pl.col("id").str.slice(-_END)
    placed = (
        problems.select("id", *_GROUP, end.alias("end"))
        .join(quotas, on=_GROUP, nulls_equal=True)
        .sort("end", "id")
        .with_columns(pl.int_range(pl.len()).over(_GROUP).alias("place"))
    )
    return placed.filter(pl.col("place") < pl.col("quota"))["id"]


def still_there(tried: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    """The rows of `piloted` whose problems are among these still, by the category and difficulty that they have now."""
    now = problems.select(pl.col("id").alias("problem_id"), *_GROUP)
    return tried.drop(_GROUP).join(now, on="problem_id", maintain_order="left").select(tried.columns)
