"""GeneralReasoning/GeneralThought-Feb25: questions of all kinds answered by several reasoning models."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import Response, SourceRow
from tracemill.sources.columns import column, optional_text, text
from tracemill.sources.dataset import DatasetSource
from tracemill.sources.turns import messages


class GeneralThoughtSource(DatasetSource):
    """Only answers of models whose name holds one of `models` are responses; every row's question is a problem.

    Licences are per question. `verifier_score` is a published verdict where it is 0 or 1.
    """

    kind: Literal["general_thought"]
    repo: str = "GeneralReasoning/GeneralThought-Feb25"
    models: tuple[str, ...] = ("DeepSeek-R1", "DeepSeek/DeepSeek-R1", "deepseek-r1")
    documented: ClassVar[tuple[str, ...]] = (
        "question_id",
        "question",
        "reference_answer",
        "prev_messages",
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
        turns = [*earlier, {"role": "user", "content": question}]
        return SourceRow(
            native_id="",
            prompt="\n\n".join(turn["content"] for turn in turns if turn["role"] == "user"),
            messages=tuple(turns) if earlier else None,
            category=optional_text(value, "task"),
            reference_answer=(optional_text(value, "reference_answer") or "").strip() or None,
            license=optional_text(value, "question_license"),
            responses=self._responses(value),
        )

    def _responses(self, value: dict[str, Any]) -> tuple[Response, ...]:
        model, answer = optional_text(value, "model_name"), optional_text(value, "model_answer")
        if not model or not answer or not any(name in model for name in self.models):
            return ()
        score = column(value, "verifier_score") if "verifier_score" in value else None
        verdict = bool(score) if score in (0, 1) else None
        chain = optional_text(value, "model_reasoning")
        return (Response(teacher=model, text=answer, thinking=chain or None, verdict=verdict),)
