"""Has a language model score each response: the second score of the 1.4M paper beside the reward model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.responses import living_responses
from tracemill.engine.step import Inputs, Output
from tracemill.engine.thresholds import Cut, measured, measurement_rows, unmeasured
from tracemill.judge.asker import Judged
from tracemill.judge.judges import AnyJudge
from tracemill.models.step import AskingStep


class Score(AskingStep):
    """Score the answers of all living responses; see docs/design/roles.md.

    The 1.4M paper (arXiv 2503.19633, section 2.2.2) scores `answer_content` with Qwen2.5-7B-Instruct and prints one
    scoring prompt, table 5, which allows an empty reference: that prompt is asked here, without a reference. `cut`
    rejects `low_score` in the judge's own numbers; an answer that cannot be read is quarantined (`unparsable`) unless
    `unscored` is keep.
    """

    kind: Literal["score"]
    judge: AnyJudge
    cut: Cut | None = None
    unscored: Literal["keep", "quarantine"] = "quarantine"

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("measurements",)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The model's identity and the prompt's text."""
        return {**super().material(resources, inputs), "prompt": self.judge.material()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Score one shard. Raises ServingError when the model is gone for good."""
        responses = list(living_responses(inputs))
        questions = [{"input_query": r.prompt, "reference_answer": "", "llm_answer": r.answer} for r in responses]
        feed = self.feed(self.judge.model, resources, inputs)
        found = self.judge.answers(feed, self.judge.prompt, questions, self.judge.parse)
        values = [None if judged.value is None else (judged.value, 0) for judged in found]
        table = measurement_rows(responses, "score", self.judge.name, values)
        ids = [response.generation_id for response in responses]
        return Output(fate_ledger("generation", ids, [self._fate(judged) for judged in found]), {"measurements": table})

    def _fate(self, judged: Judged[float]) -> Fate:
        if judged.value is not None:
            return measured(judged.value, self.cut, "low_score")
        if judged.refusal:
            return unmeasured(judged.refusal.reason, judged.refusal.detail, self.unscored)
        return unmeasured("unparsable", judged.said[:500], self.unscored)
