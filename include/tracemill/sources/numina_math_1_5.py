"""AI-MO/NuminaMath-1.5: competition maths with answers in a column of their own."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import Response, SourceRow
from tracemill.sources.columns import optional_text, text
from tracemill.sources.dataset import DatasetSource

NO_ANSWER = {"proof", "notfound", ""}


class NuminaMath15Source(DatasetSource):
    """`answer` is the reference unless it says that there is none ("proof", "notfound")."""

    kind: Literal["numina_math_1_5"]
    repo: str = "AI-MO/NuminaMath-1.5"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = ("problem", "solution", "answer", "problem_type", "question_type", "source")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the human solution is a response without a chain."""
        answer = (optional_text(value, "answer") or "").strip()
        solution = optional_text(value, "solution")
        return SourceRow(
            native_id="",
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=None if answer.lower() in NO_ANSWER else answer,
            responses=(Response(teacher="numina_math_1_5", text=solution),) if solution else (),
        )
