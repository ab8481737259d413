"""simplescaling/data_ablation_full59K: the questions behind s1, with their traces (arXiv 2501.19393)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, RowError, SourceRow
from tracemill.ingest.worked import text_answer

# Teacher, chain and answer, in the spellings that the releases of this data set use.
TRACES = (
    ("gemini-2.0-flash-thinking", "gemini_thinking_trajectory", "gemini_attempt"),
    ("deepseek-r1", "deepseek_thinking_trajectory", "deepseek_attempt"),
)
GEMINI = "gemini-2.0-flash-thinking"


class DataAblation59kSource(DatasetSource):
    """The reference is the boxed answer of `solution` where it is a worked solution, else the text itself."""

    kind: Literal["data_ablation_59k"]
    repo: str = "simplescaling/data_ablation_full59K"
    license: str | None = "apache-2.0"
    published_as: ClassVar[str | None] = "data_ablation_full59K"
    documented: ClassVar[tuple[str, ...]] = ("solution", "question", "cot_type", "source_type")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; see `s1_row`."""
        return s1_row(value)


def s1_row(value: dict[str, Any]) -> SourceRow:
    """A row of the s1 family. Raises RowError for one without any traces' columns."""
    kind = optional_text(value, "cot_type")
    return SourceRow(
        prompt=text(value, "question"),
        category=kind,
        reference_answer=text_answer((optional_text(value, "solution") or "").strip(), kind == "math"),
        responses=tuple(_responses(value)),
    )


def _responses(value: dict[str, Any]) -> list[Response]:
    found: list[tuple[str, str | None, str | None]] = []
    if "thinking_trajectories" in value:
        chains = [chain for chain in items(value, "thinking_trajectories") if isinstance(chain, str)]
        found.append((GEMINI, chains[0] if chains else None, optional_text(value, "attempt")))
    for teacher, chain, answer in TRACES:
        if chain in value:
            found.append((teacher, optional_text(value, chain), optional_text(value, answer)))
    if not found:
        raise RowError("missing_column", f"no column holds a trace; the row has: {', '.join(value)}")
    return [Response(teacher=t, text=answer, thinking=chain) for t, chain, answer in found if chain and answer]
