"""AI-MO/NuminaMath-1.5: competition maths with answers in a column of their own."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, RowError, SourceRow
from tracemill.ingest.worked import answer_of


class NuminaMath15Source(DatasetSource):
    """`answer` is the reference unless it says that there is none ("proof", "notfound").

    A problem that its makers found not valid ("Incomplete", ...) is quarantined; of a solution that they did not find
    valid neither the text nor the answer is used.
    """

    kind: Literal["numina_math_1_5"]
    repo: str = "AI-MO/NuminaMath-1.5"
    license: str | None = "apache-2.0"
    published_as: ClassVar[str | None] = "NuminaMath_1.5"
    documented: ClassVar[tuple[str, ...]] = ("problem", "solution", "answer", "problem_type", "question_type", "source")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the human solution is a response without a chain."""
        validity = optional_text(value, "problem_is_valid")
        if not _valid(validity):
            raise RowError("invalid_problem", f"column 'problem_is_valid' says {validity!r}")
        sound = _valid(optional_text(value, "solution_is_valid"))
        answer = (optional_text(value, "answer") or "").strip() if sound else ""
        solution = optional_text(value, "solution") if sound else None
        return SourceRow(
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=answer_of(answer),
            responses=(Response(teacher="numina_math_1_5", text=solution),) if solution else (),
        )


def _valid(said: str | None) -> bool:
    """Whether a validity column says yes; rows from before these columns say nothing, and count."""
    return said is None or said.strip().lower() == "yes"
