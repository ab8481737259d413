"""AI-MO/NuminaMath-CoT: competition maths with worked solutions."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.worked import boxed_answer


class NuminaMathCotSource(DatasetSource):
    """The reference is the last \\boxed{} of the solution; proofs, and problems of several parts, have none."""

    kind: Literal["numina_math_cot"]
    repo: str = "AI-MO/NuminaMath-CoT"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = ("source", "problem", "solution")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the human solution is a response without a chain."""
        solution = text(value, "solution")
        return SourceRow(
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=boxed_answer(solution),
            responses=(Response(teacher="numina_math_cot", text=solution),),
        )
