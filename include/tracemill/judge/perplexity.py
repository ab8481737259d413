"""Measures how surprising a response is to a model, and turns away what surprises it too much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.responses import Response, living_responses
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.engine.thresholds import Cut, measured, measurement_rows, unmeasured
from tracemill.models.model import Model
from tracemill.models.ranks import rank_surprisal_ratio, ranks_of, surprisal
from tracemill.models.request import Answer, Ask, Refusal, Reply
from tracemill.models.step import AskingStep

_LARGEST = 700.0  # exp of more is no finite number; vLLM sends -9999 for a log-probability of minus infinity


class Perplexity(AskingStep):
    """exp(-mean log-probability) of the tokens of query and response under `model`, by the server's prompt_logprobs.

    DeepDistill (arXiv 2504.17565, section 2.5) drops responses whose perplexity is above 20 under its own 32B model;
    2505.14464 has another threshold for each teacher. `text` is what follows the query: the whole trace, or the answer.
    Rejected: `high_perplexity`. A text longer than the model's context is quarantined unless `unmeasured` is keep.

    With `rsr` the same request also gives the rank of every token: the table `ranks`, and as the metric `rsr` the
    rank-surprisal ratio of what follows the query under `model`, which is then the student (arXiv 2601.14249; lower
    fits better), with its mean surprisal. Where the server gives no ranks, or its tokens do not spell the response,
    there is none.
    """

    kind: Literal["perplexity"]
    model: Model
    text: Literal["trace", "answer"] = "trace"
    cut: Cut | None = Cut(at_most=20.0)
    unmeasured: Literal["keep", "quarantine"] = "quarantine"
    rsr: Annotated[bool, Field(exclude_if=lambda asked: not asked)] = False  # also ranks, and how well it fits `model`

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("measurements", "ranks")

    @property
    def metrics(self) -> tuple[str, ...]:
        """What it measures."""
        return ("perplexity", "rsr", "surprisal") if self.rsr else ("perplexity",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Measure one shard. Raises ServingError when the model is gone for good."""
        responses = list(living_responses(inputs))
        answers = self.feed(self.model, resources, inputs).answers([self._ask(r) for r in responses])
        values = [perplexity(a) if isinstance(a, Reply) else None for a in answers]
        tables = {"measurements": measurement_rows(responses, "perplexity", self.model.name, values)}
        if self.rsr:
            for metric, measure in (("rsr", rank_surprisal_ratio), ("surprisal", surprisal)):
                own = [measure(a) if isinstance(a, Reply) else None for a in answers]
                more = measurement_rows(responses, metric, self.model.name, own)
                tables["measurements"] = pa.concat_tables([tables["measurements"], more])
            tables["ranks"] = self._ranks(responses, answers)
        ids = [response.generation_id for response in responses]
        return Output(fate_ledger("generation", ids, [self._fate(a) for a in answers]), tables)

    def _ask(self, response: Response) -> Ask:
        thinking = f"<think>{response.thinking}</think>\n" if self.text == "trace" and response.thinking else ""
        own = f"{thinking}{response.answer}"
        body = {"prompt": f"{response.prompt}\n{own}", "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}
        return Ask("/v1/completions", body, ranked=own if self.rsr else None)

    def _ranks(self, responses: Sequence[Response], answers: Sequence[Answer]) -> pa.Table:
        pairs = zip(responses, answers, strict=True)
        ranked = [(response, answer) for response, answer in pairs if isinstance(answer, Reply) and answer.ranks]
        columns = {
            "generation_id": [response.generation_id for response, _ in ranked],
            "problem_id": [response.problem_id for response, _ in ranked],
            "measurer": [self.model.name] * len(ranked),
            "own": [int(answer.values[3]) or None for _, answer in ranked],
            "ranks": [ranks_of(answer) for _, answer in ranked],
        }
        return pa.table(columns, columns_of("ranks"))

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
    if len(reply.values) < 2 or reply.values[1] < 1:
        return None
    total, count = reply.values[:2]
    mean = -total / count
    return (math.exp(mean), int(count)) if mean < _LARGEST else None  # NaN is not smaller than anything
