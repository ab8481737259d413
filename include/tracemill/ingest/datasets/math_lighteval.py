"""DigitalLearningGmbH/MATH-lighteval: the MATH data set with its levels (arXiv 2103.03874)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.worked import boxed_answer


class MathLightevalSource(DatasetSource):
    """The reference is the last \\boxed{} of the solution. The `test` split holds MATH-500: do not train on it."""

    kind: Literal["math_lighteval"]
    repo: str = "DigitalLearningGmbH/MATH-lighteval"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("problem", "level", "solution", "type")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the human solution is a response without a chain."""
        solution = text(value, "solution")
        return SourceRow(
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=boxed_answer(solution),
            difficulty=text(value, "level"),
            responses=(Response(teacher="math", text=solution),),
        )
