"""Turns away the responses on the wrong side of a cut that was measured over all shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from tracemill.engine.ids import Unit
from tracemill.engine.sieve import Sieve
from tracemill.engine.step import Inputs, Step
from tracemill.errors import MissingInput
from tracemill.select.cut import EVERYTHING, OF_TEACHER, By, CutStep, Metric, measured_values

_REASONS = {"reward": "low_reward", "score": "low_score", "perplexity": "high_perplexity", "rsr": "high_rsr"}
_LOWER = {"perplexity", "rsr"}  # metrics of which less is better


class Gate(Sieve):
    """Apply the thresholds that an earlier `cut` step of the same metric measured.

    `keep` "above" keeps what is at or above the threshold (rewards, scores), "below" what is at or below it
    (perplexity, rank-surprisal ratio). A response measured by several models must pass each; one that was not measured
    is kept with the reason `unmeasured`.
    """

    kind: Literal["gate"]
    metric: Metric  # the number that the `cut` step measured
    keep: Literal["above", "below"] | None = None

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "rewards", "measurements", "cuts", "ledger")
    spares: ClassVar[tuple[str, ...]] = ("unmeasured",)

    def lacks(self, before: Sequence[Step]) -> str | None:
        """A cut of its metric."""
        if any(isinstance(one, CutStep) and one.metric == self.metric for one in before):
            return None
        return f"applies a cut of {self.metric} that no step before it measures: put a `cut` step with it there"

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """Sort one shard. Raises MissingInput when no earlier step measured a cut of this metric."""
        cuts = pl.DataFrame(inputs.table("cuts", ["metric", "measurer", "group", "threshold"]))
        made = cuts.filter(metric=self.metric)
        cuts = made.drop_nulls("threshold").unique(["measurer", "group"], keep="last")
        by = _cut_by(made["group"])
        values = pl.DataFrame(measured_values(inputs, self.metric, by, inputs.index))
        values = values.join(cuts, on=["measurer", "group"], how="left", maintain_order="left")
        for measurer, group in values.filter(pl.col("threshold").is_null()).select("measurer", "group").iter_rows():
            if made.filter(measurer=measurer, group=group).height:
                raise MissingInput(
                    f"the cut of {self.metric} has no threshold for {group}: give the others a `quantile`"
                )
            raise MissingInput(f"no cut of {self.metric} for {measurer}: put a `cut` step with it before `gate`")
        decided = self._decided(values.rename({"generation_id": "id", "value": "score"}))
        rows = pl.DataFrame({"id": alive}).join(decided, on="id", how="left", maintain_order="left")
        unmeasured = pl.when(pl.col("score").is_null()).then(pl.lit("unmeasured"))
        reason = pl.coalesce("reason", unmeasured).alias("reason")
        yield rows.select("id", reason, "score", "threshold").to_arrow()

    def _decided(self, values: pl.DataFrame) -> pl.DataFrame:
        """One row a response: its first number beyond the threshold, with the reason, else its last one."""
        side = self.keep or ("below" if self.metric in _LOWER else "above")
        score = pl.col("score")
        threshold = pl.col("threshold")
        beyond = score < threshold if side == "above" else score > threshold
        beyond |= score.is_nan() | threshold.is_nan()  # which Polars takes for the largest number of all
        place = pl.int_range(pl.len())
        order = pl.when(beyond).then(place).otherwise(2 * pl.len() - place)
        reason = pl.when(beyond).then(pl.lit(_REASONS[self.metric])).alias("reason")
        return values.sort(order).unique("id", keep="first", maintain_order=True).with_columns(reason)


def _cut_by(groups: pl.Series) -> By:
    """What the cut step measured apart."""
    if (groups == EVERYTHING).all():
        return "all"
    return "teacher" if groups.str.starts_with(OF_TEACHER).all() else "category"
