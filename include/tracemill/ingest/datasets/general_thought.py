"""GeneralReasoning/GeneralThought-Feb25: questions of all kinds answered by several reasoning models."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import number, optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import conversation, messages


class GeneralThoughtSource(DatasetSource):
    """Only answers of `models` are responses (the whole name counts, with or without its owner, in any letter case:
    DeepSeek-R1-Zero and the distilled models are others); every row's question is a problem.

    Licences are per question. `verifier_score` is a published verdict where it is 0 or 1.
    """

    kind: Literal["general_thought"]
    repo: str = "GeneralReasoning/GeneralThought-Feb25"
    published_as: ClassVar[str | None] = "GeneralThought - Feb25"
    models: tuple[str, ...] = ("DeepSeek-R1",)
    documented: ClassVar[tuple[str, ...]] = (
        "question",
        "reference_answer",
        "model_name",
        "model_answer",
        "model_reasoning",
        "task",
        "question_license",
    )

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; earlier turns come before the question."""
        question = text(value, "question")
        earlier = messages(value, "prev_messages") if value.get("prev_messages") else []
        prompt, several = conversation([*earlier, {"role": "user", "content": question}])
        return SourceRow(
            native_id=own_id(value, "question_id"),
            prompt=prompt,
            messages=several,
            category=optional_text(value, "task"),
            reference_answer=optional_text(value, "reference_answer"),
            license=optional_text(value, "question_license"),
            responses=self._responses(value),
        )

    def _wanted_model(self, model: str) -> bool:
        names = {model.lower(), model.lower().rpartition("/")[2]}
        return any(wanted.lower() in names for wanted in self.models)

    def _responses(self, value: dict[str, Any]) -> tuple[Response, ...]:
        model = optional_text(value, "model_name")
        answer = optional_text(value, "model_answer")
        if not model or not answer or not self._wanted_model(model):
            return ()
        score = number(value, "verifier_score")
        verdict = bool(score) if score in (0, 1) else None
        chain = optional_text(value, "model_reasoning")
        return (Response(teacher=model, text=answer, thinking=chain or None, verdict=verdict),)
