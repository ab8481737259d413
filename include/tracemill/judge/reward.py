"""Scores each response with a reward model: five attributes and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.responses import living_responses
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.engine.thresholds import Cut, measured, unmeasured
from tracemill.judge.rewards import AnyRewardModel
from tracemill.judge.rewards.base import Attributes
from tracemill.models.model import Model
from tracemill.models.request import Refusal
from tracemill.models.step import AskingStep

_SKIPPED = Fate("kept", "not_applicable")


class Reward(AskingStep):
    """Score the answers (never the thinking) of all living responses; see docs/design/roles.md.

    `cut` rejects `low_reward` by the score (coherence + correctness + helpfulness) / 12: DeepDistill (arXiv 2504.17565,
    section 2.4) keeps chat above 0.7. The 1.4M paper cuts by "the score distribution": leave `cut` out and put a `cut`
    and a `gate` step behind. What could not be scored (`too_long`, ...) is quarantined unless `unscored` is keep.
    Categories in `skip` are not scored and stay, as `not_applicable`: those that verifiers judge, in that paper.
    """

    kind: Literal["reward"]
    reward_model: AnyRewardModel
    cut: Cut | None = None
    unscored: Literal["keep", "quarantine"] = "quarantine"
    skip: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)] = ()

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("rewards",)

    def served(self) -> tuple[Model, ...]:
        """None when the reward model runs in the stage's own process."""
        return self.models() if self.reward_model.is_served else ()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Score one shard. Raises ServingError when a served model is gone for good."""
        living = list(living_responses(inputs))
        responses = [response for response in living if response.category not in self.skip]
        feed = self.feed(self.reward_model.model, resources, inputs)
        found = self.reward_model.score(responses, feed)
        ids = [response.generation_id for response in responses]
        fates = dict(zip(ids, map(self._fate, found), strict=True))
        every = [response.generation_id for response in living]
        ledger = fate_ledger("generation", every, [fates.get(one, _SKIPPED) for one in every])
        return Output(ledger, {"rewards": self._table(ids, found)})

    def _fate(self, found: Attributes | Refusal) -> Fate:
        if isinstance(found, Refusal):
            return unmeasured(found.reason, found.detail, self.unscored)
        return measured(found.score, self.cut, "low_reward")

    def _table(self, ids: Sequence[str], found: Sequence[Attributes | Refusal]) -> pa.Table:
        rows: list[dict[str, Any]] = [
            {"generation_id": i, "reward_model": self.reward_model.model.name, **f._asdict(), "score": f.score}
            for i, f in zip(ids, found, strict=True)
            if isinstance(f, Attributes)
        ]
        return pa.Table.from_pylist(rows, columns_of("rewards"))
