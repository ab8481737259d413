"""hkust-nlp/CodeIO-PyEdu-Reasoning: predicting inputs and outputs of code, with two turns of answers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import Response, SourceRow
from tracemill.sources.columns import optional_text, text
from tracemill.sources.dataset import DatasetSource


class CodeioSource(DatasetSource):
    """The second turn answers when the feedback to the first says that it was wrong. There is no separate gold."""

    kind: Literal["codeio"]
    repo: str = "hkust-nlp/CodeIO-PyEdu-Reasoning"
    license: str | None = "odc-by"
    documented: ClassVar[tuple[str, ...]] = ("prompt", "turn_1", "feedback_1", "turn_2", "feedback_2")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the feedback is the published verdict of the chosen turn."""
        first = is_correct(optional_text(value, "feedback_1"))
        turn, feedback = ("turn_1", "feedback_1") if first else ("turn_2", "feedback_2")
        answer, verdict = optional_text(value, turn), is_correct(optional_text(value, feedback))
        return SourceRow(
            native_id="",
            prompt=text(value, "prompt"),
            category=self.category or "reasoning",
            responses=(Response(teacher="codeio", text=answer, verdict=verdict),) if answer else (),
        )


def is_correct(feedback: str | None) -> bool | None:
    """What a feedback says: "Correct output!" and the like; None where there is none."""
    return None if not feedback else feedback.strip().lower().startswith("correct")
