"""Any data set of the Hugging Face Hub whose columns the recipe maps."""

from __future__ import annotations

from typing import Any, Literal

from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.mapped import Columns, as_patterns, mapped_row
from tracemill.ingest.source import SourceRow


class HuggingfaceSource(DatasetSource):
    """`repo` at `revision`, with a column mapping; `teacher` names who wrote the responses.

    `boilerplate`: whole system prompts that are no part of a problem; all others are.
    """

    kind: Literal["huggingface"]
    columns: Columns
    teacher: str = "unknown"
    boilerplate: tuple[str, ...] = ()

    def required(self) -> tuple[str, ...]:
        """The columns of the problem itself."""
        return self.columns.needed()

    def optional(self) -> tuple[str, ...]:
        """Every other mapped column."""
        return self.columns.optional()

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """One row through the mapping."""
        return mapped_row(value, self.columns, self.teacher, as_patterns(self.boilerplate))
