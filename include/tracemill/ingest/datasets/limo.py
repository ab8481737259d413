"""GAIR/LIMO: a few hundred maths problems with carefully written reasoning (arXiv 2502.03387)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow


class LimoSource(DatasetSource):
    """`solution` carries the reasoning, without tags."""

    kind: Literal["limo"]
    repo: str = "GAIR/LIMO"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = ("question", "solution", "answer")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row."""
        return SourceRow(
            prompt=text(value, "question"),
            category=self.category or "math",
            reference_answer=optional_text(value, "answer"),
            responses=(Response(teacher="limo", text=text(value, "solution")),),
        )
