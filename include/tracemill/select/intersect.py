"""Keeps the responses to problems that every teacher solved, so that nothing but the teachers is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from tracemill.engine.ids import Unit
from tracemill.engine.sieve import Sieve
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs


class Intersect(Sieve):
    """Keep the responses to problems for which each of `teachers` has one that counts (arXiv 2505.14464, section 2).

    A response counts where it is alive and, with `verified`, what its verdicts come to is a pass. Rejected as
    `not_by_all`: the responses of these teachers to all other problems, with the teachers that lack one as detail.
    Responses of other teachers, and those that do not count to problems that all of them solved, are kept: they are
    for `select`. Teachers that have no problem in common leave nothing, and each row's detail says for want of whom.
    """

    kind: Literal["intersect"]
    teachers: Annotated[tuple[str, ...], Field(min_length=2)]  # their models' names, as in the table `generations`
    verified: bool = True  # only responses that were verified count

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "ledger")

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.teachers)) < len(self.teachers):
            raise ValueError(f"teachers name one twice: {', '.join(self.teachers)}")
        return self

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """Judge one shard, which holds all responses to its problems."""
        table = pl.DataFrame(inputs.table("generations", ["id", "problem_id", "teacher"]))
        living = table.filter(pl.col("id").is_in(pl.Series(alive).implode()))
        ours = living.filter(pl.col("teacher").is_in(self.teachers))
        lacking = self._lacking(ours.filter(pl.col("id").is_in(self._counting(inputs, ours).implode())), ours)
        judged = living.join(lacking, on="problem_id", how="left", maintain_order="left")
        out = pl.col("teacher").is_in(self.teachers) & pl.col("lacking").is_not_null()
        reason = pl.when(out).then(pl.lit("not_by_all")).alias("reason")
        detail = pl.when(out).then(pl.col("lacking")).alias("detail")
        yield judged.select("id", reason, detail).to_arrow()

    def _counting(self, inputs: Inputs, ours: pl.DataFrame) -> pl.Series:
        """The ids of the responses that count."""
        if not self.verified:
            return ours["id"]
        found = standing(inputs.table("verdicts", COLUMNS))
        return found.filter(pl.col("status") == "pass")["generation_id"]

    def _lacking(self, counting: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
        """The problems that some teacher did not solve, with those teachers' names in the order of the setting."""
        names = pl.DataFrame({"teacher": list(self.teachers)}).with_row_index("place")
        solved = counting.select("problem_id", "teacher").unique()
        wanted = ours.select("problem_id").unique().join(names, how="cross")
        missing = wanted.join(solved, on=["problem_id", "teacher"], how="anti").sort("problem_id", "place")
        told = pl.col("teacher").str.join(", ").alias("lacking")
        return missing.group_by("problem_id", maintain_order=True).agg(told)
