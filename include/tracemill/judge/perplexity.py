"""Measures how surprising a response is to a strong model, and turns away what surprises it too much."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.responses import Response, living_responses
from tracemill.engine.step import Inputs, Output
from tracemill.engine.thresholds import Cut, measured, measurement_rows, unmeasured
from tracemill.models.model import Model
from tracemill.models.request import Answer, Ask, Refusal, Reply
from tracemill.models.step import AskingStep

_LARGEST = 700.0  # exp of more is no finite number; vLLM sends -9999 for a log-probability of minus infinity


class Perplexity(AskingStep):
    """exp(-mean log-probability) of the tokens of query and response under `model`, by the server's prompt_logprobs.

    DeepDistill (arXiv 2504.17565, section 2.5) drops responses whose perplexity is above 20 under its own 32B model;
    2505.14464 has another threshold for each teacher. `text` is what follows the query: the whole trace, or the answer.
    Rejected: `high_perplexity`. A text longer than the model's context is quarantined unless `unmeasured` is keep.
    """

    kind: Literal["perplexity"]
    model: Model
    text: Literal["trace", "answer"] = "trace"
    cut: Cut | None = Cut(at_most=20.0)
    unmeasured: Literal["keep", "quarantine"] = "quarantine"

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Measure one shard. Raises ServingError when the model is gone for good."""
        responses = list(living_responses(inputs))
        answers = self.feed(self.model, resources, inputs).answers([self._ask(r) for r in responses])
        values = [perplexity(a) if isinstance(a, Reply) else None for a in answers]
        table = measurement_rows(responses, "perplexity", self.model.name, values)
        ids = [response.generation_id for response in responses]
        return Output(fate_ledger("generation", ids, [self._fate(a) for a in answers]), {"measurements": table})

    def _ask(self, response: Response) -> Ask:
        thinking = f"<think>{response.thinking}</think>\n" if self.text == "trace" and response.thinking else ""
        prompt = f"{response.prompt}\n{thinking}{response.answer}"
        return Ask("/v1/completions", {"prompt": prompt, "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0})

    def _fate(self, answer: Answer) -> Fate:
        if isinstance(answer, Refusal):
            return unmeasured(answer.reason, answer.detail, self.unmeasured)
        found = perplexity(answer)
        if found is None:
            return unmeasured("unmeasured", "the server gave no finite log-probabilities", self.unmeasured)
        return measured(found[0], self.cut, "high_perplexity")


def perplexity(reply: Reply) -> tuple[float, int] | None:
    """Perplexity and number of tokens, from the sum of log-probabilities and their number; None when there are none, or
    when one of them is no finite number: that measures nothing.
    """
    if len(reply.values) != 2 or reply.values[1] < 1:
        return None
    total, count = reply.values
    mean = -total / count
    return (math.exp(mean), int(count)) if mean < _LARGEST else None  # NaN is not smaller than anything
