"""What a reward model is: it gives a response five numbers, and how they become one score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from tracemill.engine.responses import Response
from tracemill.models.model import Model
from tracemill.models.request import Refusal
from tracemill.models.session import Feed

LOW = 0.0  # HelpSteer2's scale; the model is a regression and may leave it slightly
HIGH = 4.0


class Attributes(NamedTuple):
    """Five numbers from 0 to 4, in the order of Decision-Tree-Reward-Llama-3.1-8B (RLHFlow decision_tree/README.md)."""

    helpfulness: float
    correctness: float
    coherence: float
    complexity: float
    verbosity: float

    @property
    def score(self) -> float:
        """(coherence + correctness + helpfulness) / 12, from 0 to 1 (DeepDistill, arXiv 2504.17565, section 2.4)."""
        return (self.coherence + self.correctness + self.helpfulness) / (3 * HIGH)


def attributes(values: Sequence[float]) -> Attributes:
    """Five raw outputs, clipped to the scale. Raises ValueError when there are not five numbers."""
    if len(values) != len(Attributes._fields) or any(value != value for value in values):
        raise ValueError(f"a reward model must give five numbers {Attributes._fields}, not {list(values)}")
    return Attributes(*(min(max(float(value), LOW), HIGH) for value in values))


class RewardModel(BaseModel):
    """Base of every reward model: which weights, and how to score. `model.serve` matters only to a served one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_served: ClassVar[bool] = True
    model: Model

    def score(self, responses: Sequence[Response], feed: Feed) -> list[Attributes | Refusal]:
        """Five numbers for each response's `messages`, in order, or why there are none."""
        raise NotImplementedError  # abstract
