"""hkust-nlp/CodeIO-PyEdu-Reasoning: predicting inputs and outputs of code, with two turns of answers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow

SUCCESS = ("correct", "feasible")


class CodeioSource(DatasetSource):
    """The second turn answers where there is one and the first was wrong. There is no separate gold."""

    kind: Literal["codeio"]
    repo: str = "hkust-nlp/CodeIO-PyEdu-Reasoning"
    license: str | None = "odc-by"
    published_as: ClassVar[str | None] = "codeio"
    documented: ClassVar[tuple[str, ...]] = ("prompt", "turn_1", "feedback_1")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the feedback is the published verdict of the chosen turn."""
        settled = is_correct(optional_text(value, "feedback_1")) or optional_text(value, "turn_2") is None
        turn, feedback = ("turn_1", "feedback_1") if settled else ("turn_2", "feedback_2")
        answer = optional_text(value, turn)
        verdict = is_correct(optional_text(value, feedback))
        return SourceRow(
            prompt=text(value, "prompt"),
            category=self.category or "reasoning",
            responses=(Response(teacher="codeio", text=answer, verdict=verdict),) if answer else (),
        )


def is_correct(feedback: str | None) -> bool | None:
    """What a feedback says; None where there is none. The two success words are those of the makers' checkers
    (hkust-nlp/CodeIO: check_io_pred_acc_mp.py for outputs, codeio_utils.py for inputs).
    """
    return None if not feedback else feedback.strip().lower().startswith(SUCCESS)
