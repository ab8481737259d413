"""Adds up an evaluation's shards to items: what each model made of each item of each benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from tracemill.engine.step import Inputs
from tracemill.engine.tables import columns_of
from tracemill.evaluate.second import MATHS
from tracemill.models.finish import named

KEY = ["problem_id", "teacher", "mode"]
_ITEM = ["benchmark", "problem_id"]
_COUNTS = ["asked", "decided", "passed", "samples", "cut"]


class Part(NamedTuple):
    """One shard: its items, and what models made of them (KEY and counts, with the item's benchmark)."""

    problems: pl.DataFrame
    results: pl.DataFrame


def part_of(inputs: Inputs, shard: int, second: pl.DataFrame | None) -> Part:
    """Read one shard. `second` has `generation_id` and `second` of the answers of mathematics; None: none was asked."""
    names = ["id", "source", "released_as", "native_id", "category", "published"]
    problems = pl.DataFrame(inputs.table("problems", names, shard)).select(
        pl.col("id").alias("problem_id"),
        pl.col("source").alias("benchmark"),
        pl.coalesce("released_as", "source").alias("title"),
        *names[3:],
    )
    grades = pl.DataFrame(inputs.table("grades", [*KEY, "asked", "decided", "passed", "tokens"], shard))
    results = grades.join(_sampled(inputs, shard, second), on=KEY, how="left", nulls_equal=True)
    return Part(problems, results.join(problems.select(_ITEM), on="problem_id", how="inner"))


def _sampled(inputs: Inputs, shard: int, second: pl.DataFrame | None) -> pl.DataFrame:
    """By problem and model: samples, those cut at the token limit, and those that the second opinion passes."""
    scores = pl.DataFrame(inputs.table("scores", ["generation_id", *KEY, "category", "reason"], shard))
    ends = pl.DataFrame(inputs.table("generations", ["id", "finish_reason"], shard))
    reasons = [one for one in ends["finish_reason"].unique().drop_nulls() if named(one) == "length"]
    rows = scores.join(ends, left_on="generation_id", right_on="id", how="left")
    words = pl.DataFrame(schema={"generation_id": pl.String, "second": pl.String}) if second is None else second
    rows = rows.join(words.select("generation_id", "second"), on="generation_id", how="left")
    ended = (pl.col("reason") == "cut").fill_null(False)  # by our reading no answer, so nobody was asked about it
    told = pl.lit(second is not None) & ((pl.col("category") == MATHS) & (ended | pl.col("second").is_not_null())).all()
    return rows.group_by(KEY).agg(
        pl.len().alias("samples"),
        pl.col("finish_reason").is_in(reasons).fill_null(False).sum().alias("cut"),
        pl.when(told).then(((pl.col("second") == "pass").fill_null(False) & ~ended).sum()).alias("second_passed"),
    )


def items_of(parts: Sequence[Part]) -> pl.DataFrame:
    """The rows of table `evaluation_items`: every item, for every model that was asked about its benchmark."""
    problems = pl.concat([part.problems for part in parts]).unique(_ITEM, keep="first", maintain_order=True)
    key = [*_ITEM, "teacher", "mode"]
    results = pl.concat([part.results for part in parts]).unique(key, keep="first", maintain_order=True)
    models = results.select("benchmark", "teacher", "mode").unique().sort("benchmark", "teacher", "mode")
    rows = problems.join(models, on="benchmark", how="left", maintain_order="left")
    rows = rows.join(results, on=key, how="left", nulls_equal=True, maintain_order="left")
    schema = columns_of("evaluation_items")
    return rows.with_columns(pl.col(_COUNTS).fill_null(0)).select(schema.names)
