"""KbsdJames/Omni-MATH: olympiad problems with answers and a difficulty from 1 to 10 (arXiv 2410.07985)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import difficulty, optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow


class OmniMathSource(DatasetSource):
    """There is only a `test` split."""

    kind: Literal["omni_math"]
    repo: str = "KbsdJames/Omni-MATH"
    split: str = "test"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = ("domain", "difficulty", "problem", "solution", "answer", "source")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the human solution is a response without a chain."""
        return SourceRow(
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=optional_text(value, "answer"),
            **difficulty(value, "difficulty"),
            responses=(Response(teacher="omni_math", text=text(value, "solution")),),
        )
