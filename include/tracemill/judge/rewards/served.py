"""A reward model behind vLLM: any sequence-classification model with five outputs, asked through /classify."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import model_validator

from tracemill.engine.responses import Response
from tracemill.errors import ServingError
from tracemill.judge.rewards.base import Attributes, RewardModel, attributes
from tracemill.models.request import Ask, Refusal, Reply
from tracemill.models.session import Feed


class ServedRewardModel(RewardModel):
    """Scores through a server, with the chat template of the model and without an activation: the numbers are raw."""

    kind: Literal["served"]

    @model_validator(mode="after")
    def _is_served_as_a_classifier(self) -> ServedRewardModel:
        if self.model.task != "classify":
            raise ValueError(f"model {self.model.name!r} gives rewards: set its task to classify")
        return self

    def score(self, responses: Sequence[Response], feed: Feed) -> list[Attributes | Refusal]:
        """Raises ServingError when the served model does not give five numbers."""
        asks = [Ask("/classify", {"messages": r.messages, "use_activation": False}) for r in responses]
        return [self._read(answer) for answer in feed.answers(asks)]

    def _read(self, answer: Reply | Refusal) -> Attributes | Refusal:
        if isinstance(answer, Refusal):
            return answer
        if not all(map(math.isfinite, answer.values)):
            return Refusal("unmeasured", f"the reward model gave {list(answer.values)}")
        try:
            return attributes(answer.values)
        except ValueError as error:
            raise ServingError(f"model {self.model.name!r}: {error}") from error
