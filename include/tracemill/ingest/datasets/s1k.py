"""simplescaling/s1K and s1K-1.1: a thousand hard questions with long traces (arXiv 2501.19393)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.datasets.data_ablation_59k import s1_row
from tracemill.ingest.source import SourceRow


class S1kSource(DatasetSource):
    """s1K has Gemini's traces; `repo: simplescaling/s1K-1.1` has DeepSeek-R1's too."""

    kind: Literal["s1k"]
    repo: str = "simplescaling/s1K"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = ("solution", "question", "cot_type", "source_type")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; see `s1_row`."""
        return s1_row(value)
