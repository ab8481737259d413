"""Turns away the responses on the wrong side of a cut that was measured over all shards."""

from __future__ import annotations

from typing import ClassVar, Literal

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.thresholds import Cut, measured
from tracemill.errors import MissingInput
from tracemill.select.cut import EVERYTHING, Metric, measured_values

_REASONS = {"reward": "low_reward", "score": "low_score", "perplexity": "high_perplexity"}


class Gate(Step):
    """Apply the thresholds that an earlier `cut` step of the same metric measured.

    `keep` "above" keeps what is at or above the threshold (rewards, scores), "below" what is at or below it
    (perplexity). A response measured by several models must pass each; one that was not measured is kept with the
    reason `unmeasured`.
    """

    kind: Literal["gate"]
    metric: Metric
    keep: Literal["above", "below"] | None = None

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "rewards", "measurements", "cuts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Sort one shard. Raises MissingInput when no earlier step measured a cut of this metric."""
        cuts = {
            (row["measurer"], row["group"]): self._cut(row["threshold"])
            for row in inputs.table("cuts").to_pylist()
            if row["metric"] == self.metric and row["threshold"] is not None
        }
        ids = inputs.alive("generation").to_pylist()
        fates = dict.fromkeys(ids, Fate("kept", "unmeasured"))
        by = "all" if all(group == EVERYTHING for _, group in cuts) else "category"
        for row in measured_values(inputs, self.metric, by, inputs.index).to_pylist():
            cut = cuts.get((row["measurer"], row["group"]))
            if cut is None:
                raise MissingInput(
                    f"no cut of {self.metric} for {row['measurer']}: put a `cut` step with it before `gate`"
                )
            if fates[row["generation_id"]].bucket == "kept":
                fates[row["generation_id"]] = measured(row["value"], cut, _REASONS[self.metric])
        return Output(fate_ledger("generation", ids, list(fates.values())))

    def _cut(self, threshold: float) -> Cut:
        side = self.keep or ("below" if self.metric == "perplexity" else "above")
        return Cut(at_least=threshold) if side == "above" else Cut(at_most=threshold)
