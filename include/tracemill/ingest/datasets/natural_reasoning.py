"""facebook/natural_reasoning: questions from pre-training corpora with short reference answers (arXiv 2502.13124)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, RowError, SourceRow


class NaturalReasoningSource(DatasetSource):
    """An empty reference answer (18 % of the rows) is none."""

    kind: Literal["natural_reasoning"]
    repo: str = "facebook/natural_reasoning"
    license: str | None = "cc-by-nc-4.0"
    published_as: ClassVar[str | None] = "natural_reasoning"
    documented: ClassVar[tuple[str, ...]] = ("question", "reference_answer", "responses")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for a response that is no {response_model, response}."""
        return SourceRow(
            prompt=text(value, "question"),
            category=self.category or "science",
            reference_answer=optional_text(value, "reference_answer"),
            responses=tuple(_response(given, i) for i, given in enumerate(items(value, "responses"))),
        )


def _response(given: Any, index: int) -> Response:
    if not isinstance(given, dict):
        raise RowError("bad_value", f"column 'responses': an entry should be an object, is {type(given).__name__}")
    return Response(teacher=text(given, "response_model"), text=text(given, "response"), sample_index=index)
