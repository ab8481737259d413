"""MATH-500: 500 problems of the test split of MATH (arXiv 2103.03874), chosen by Lightman et al. (arXiv 2305.20050)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.engine.days import Day
from tracemill.ingest.columns import difficulty, own_id, text
from tracemill.ingest.datasets.benchmark import Benchmark
from tracemill.ingest.source import SourceRow


class Math500(Benchmark):
    """Answers are LaTeX. The problems came out with MATH, on 5 March 2021."""

    kind: Literal["math_500"]
    repo: str = "HuggingFaceH4/MATH-500"
    split: str = "test"  # the split of the data set that is read
    license: str | None = "mit"
    published: Day | None = "2021-03-05"

    documented: ClassVar[tuple[str, ...]] = ("problem", "answer")
    title: ClassVar[str] = "MATH-500"
    whole: ClassVar[int | None] = 500

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one item."""
        return SourceRow(
            native_id=own_id(value, "unique_id"),
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=text(value, "answer"),
            **difficulty(value, "level"),
        )
