"""Stage II of DeepDistill: of all shards the problems on which a model varies most, one response each."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field

from tracemill.engine.categories import named
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.select.algorithm1 import Algorithm1
from tracemill.select.graded import Graded, Share, graded, least_decided, scored

SECOND = 2
TAKEN = "annealing"
# Figure 3 of the paper: queries of stage II by category (their sum is 252,540; the text says nearly 200k).
MOST = {"code": 69_725, "math": 84_883, "other": 67_932, "science": 20_000, "instruction following": 10_000}
_ORDER = ("challenging", "easy", "hopeless", "ungraded", "other_model", "unscored")  # of several models' words


class StageTwo(Graded):
    """The annealing set (arXiv 2504.17565, section 4): per category the `most` problems of the highest variation.

    A candidate's scores vary more than `variation` and one of its responses passes `threshold`; of those one is taken,
    and among problems of equal variation some, by a hash of their ids. Kept: `annealing`. Rejected: `surplus` (ranked
    beyond `most`), `easy`, `hopeless`, `ungraded`, `other_model`, `unscored`, and `turned_away` (only responses pass
    that earlier steps turned away). The ledger counts problems; `stages` has the chosen responses, with their rank.
    It takes from all that entered stage I, if there is one, and gates nothing.
    """

    kind: Literal["stage_two"]
    threshold: Share | None = 0.99  # as printed, for every category; null: those of `scores`
    most: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=lambda: dict(MOST))  # problems by category
    rest: Annotated[int, Field(ge=0)] | None = None  # problems of a category that `most` does not name; null: all

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "scores", "grades", "stages", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("stages",)

    def asked(self) -> dict[str, Any]:
        """The relation `settings`."""
        return {**super().asked(), "threshold": self.threshold, "most": self.rest}

    def _by_category(self) -> dict[str, dict[str, Any]]:
        return {**super()._by_category(), "most": self.most}

    def _thresholds(self) -> dict[str, float | None]:
        return {**super()._thresholds(), "threshold": self.threshold}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Look at each shard once. Memory: a row of numbers and ids for each problem, no response."""
        problems = list[pl.DataFrame]()
        asked = {**self.asked(), "least_decided": least_decided(inputs)}
        with Algorithm1(asked, self.limits(), resources.workers) as rule:
            for shard in inputs.shards():
                rule.show(scored(inputs, shard), graded(inputs, shard))
                rule.remember_candidates()
                problems.append(_words(pl.DataFrame(rule.told(_JUDGED)), inputs.alive("problem", shard)))
            ranked = pl.DataFrame(rule.told("FROM stage_two"))
        every = pl.concat(problems).join(ranked, on="problem_id", how="left", maintain_order="left")
        return Output(self._ledger(every), {"stages": self._chosen(ranked)})

    def _ledger(self, every: pl.DataFrame) -> pa.Table:
        """One row a problem: the rank against `most` where it was ranked, else what Algorithm 1 compared."""
        ranked = pl.col("rank").is_not_null()
        limited = pl.col("category").is_in([named(category) for category in self.most])
        reason = (
            pl.when(ranked & pl.col("chosen"))
            .then(pl.lit(TAKEN))
            .when(ranked)
            .then(pl.lit("surplus"))
            .otherwise(pl.col("word").replace("challenging", "turned_away"))
        )
        limit = pl.when(limited).then(pl.lit("most.") + pl.col("category")).otherwise(pl.lit("rest"))
        rows = every.select(
            pl.col("problem_id").alias("id"),
            reason.alias("reason"),
            pl.when(ranked).then(pl.col("rank").cast(pl.Float64)).otherwise("number").alias("score"),
            pl.when(ranked).then(pl.col("most").cast(pl.Float64)).otherwise("bound_by").alias("threshold"),
            pl.when(ranked).then(limit).otherwise("setting").alias("detail"),
        )
        return sifted_ledger("problem", rows.to_arrow(), (TAKEN,))

    def _chosen(self, ranked: pl.DataFrame) -> pa.Table:
        """The rows of `stages` of the chosen responses, by category and rank."""
        stages = columns_of("stages")
        rows = (
            ranked.filter(pl.col("chosen"))
            .sort("category", "rank")
            .with_columns(
                pl.when(pl.col("mode") != "").then("mode").alias("mode"),
                pl.lit(SECOND).alias("stage"),
                pl.lit(TAKEN).alias("rule"),
                pl.lit("most").alias("setting"),
                pl.col("rank").cast(pl.Float64).alias("score"),
                pl.col("most").cast(pl.Float64).alias("threshold"),
                pl.col("cv").alias("variation"),
                pl.col("fluke").alias("lucky"),
            )
        )
        return rows.select(stages.names).to_arrow().cast(stages)


_JUDGED = """
SELECT problem_id, verdict AS word,
       CASE verdict WHEN 'hopeless' THEN highest WHEN 'ungraded' THEN decided WHEN 'easy' THEN cv END AS number,
       CASE verdict WHEN 'hopeless' THEN bound WHEN 'ungraded' THEN coalesce(least_decided, 2) WHEN 'easy' THEN cut
            END AS bound_by,
       CASE verdict WHEN 'hopeless' THEN 'best=' || best WHEN 'easy' THEN 'variation'
                    WHEN 'other_model' THEN 'by' END AS setting
FROM judged CROSS JOIN (SELECT best, least_decided FROM settings)
"""


def _words(judged: pl.DataFrame, problems: pa.Array) -> pl.DataFrame:
    """One row a living problem: the best word of any model on it, with the numbers that this model was compared by."""
    order = pl.col("word").cast(pl.Enum(_ORDER))
    best = judged.sort(order, "problem_id").unique("problem_id", keep="first", maintain_order=True)
    living = pl.DataFrame({"problem_id": problems})
    return living.join(best, on="problem_id", how="left", maintain_order="left").with_columns(
        pl.col("word").fill_null("unscored")
    )
