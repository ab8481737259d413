"""Stage I of DeepDistill: the problems that a model sometimes solves, with the responses that solve them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl

from tracemill.engine.ids import Unit
from tracemill.engine.pool import FIRST
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.select.algorithm1 import Algorithm1
from tracemill.select.graded import Graded, Share, graded, least_decided, scored

TAKEN = ("challenging", "easy_kept")


class StageOne(Graded):
    """Algorithm 1 (arXiv 2504.17565, section 3): of each problem as one model sees it, which responses are taken.

    Kept, with the reason: `challenging` (scores vary more than `variation`; responses that pass), `easy_kept` (of the
    categories `easy`, drawn by a hash of the id). Rejected: `hopeless` (no score passes), `easy` and
    `easy_left` (drawn against), `failed` (of a problem that is taken, but does not pass), `undecided` (no score could
    be told), `lucky` (see that setting), `ungraded` (fewer than `least_decided` of the step
    `grade`, two, scores could be told), `other_model` (not `by` or
    `mode`), `unscored` (no row in `scores`). The ledger says which setting decided, with its two numbers; the table
    `stages` has the same for later steps. Scores of responses that were turned away count for their problem.
    """

    kind: Literal["stage_one"]
    easy: tuple[str, ...] = ("other", "multi-turn")  # categories whose easy problems are kept at times
    easy_share: Share = 0.5  # of the easy problems of those categories
    easy_keeps: Literal["passing", "all"] = "passing"  # which responses of an easy problem that is kept

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "scores", "grades", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("stages",)

    def asked(self) -> dict[str, Any]:
        """The relation `settings`."""
        return {**super().asked(), "easy_share": self.easy_share, "easy_keeps": self.easy_keeps}

    def _by_category(self) -> dict[str, dict[str, Any]]:
        return {**super()._by_category(), "easy": dict.fromkeys(self.easy, True)}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Judge one shard."""
        asked = {**self.asked(), "least_decided": least_decided(inputs)}
        with Algorithm1(asked, self.limits(), resources.workers) as rule:
            rule.show(scored(inputs, inputs.index), graded(inputs, inputs.index))
            judged = pl.DataFrame(rule.told("FROM stage_one"))
        alive = pl.DataFrame({"generation_id": inputs.alive("generation")})
        rows = alive.join(judged, on="generation_id", how="left", maintain_order="left")
        rows = rows.join(_owners(inputs), on="generation_id", how="left", maintain_order="left")
        rows = rows.with_columns(
            pl.col("rule").fill_null("unscored"),
            pl.col("chosen", "lucky").fill_null(False),
            pl.coalesce("problem_id", "owner").alias("problem_id"),
            pl.coalesce("teacher", "asked").alias("teacher"),
            pl.when(pl.col("mode") != "").then("mode").alias("mode"),
            pl.lit(FIRST).alias("stage"),
            pl.lit(None, pl.Int64).alias("rank"),
        )
        ledger = rows.select(pl.col("generation_id").alias("id"), pl.col("rule").alias("reason"), "score", "threshold")
        ledger = ledger.with_columns(rows["setting"].alias("detail"))
        stages = columns_of("stages")
        return Output(
            sifted_ledger("generation", ledger.to_arrow(), TAKEN),
            {"stages": rows.select(stages.names).to_arrow().cast(stages)},
        )


def _owners(inputs: Inputs) -> pl.DataFrame:
    """Problem and teacher of each response: also of those without a score."""
    table = inputs.table("generations", ["id", "problem_id", "teacher"])
    return pl.DataFrame(table.rename_columns(["generation_id", "owner", "asked"]))
