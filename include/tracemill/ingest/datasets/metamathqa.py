"""meta-math/MetaMathQA: GSM8K and MATH problems rewritten, with answers by GPT-3.5 (arXiv 2309.12284)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow

MARK = "The answer is:"


class MetamathqaSource(DatasetSource):
    """The reference is what follows the last "The answer is:" of the response."""

    kind: Literal["metamathqa"]
    repo: str = "meta-math/MetaMathQA"
    license: str | None = "mit"
    published_as: ClassVar[str | None] = "MetaMathQA"
    documented: ClassVar[tuple[str, ...]] = ("type", "query", "original_question", "response")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the response has no chain between tags."""
        response = text(value, "response")
        _, marked, answer = response.rpartition(MARK)
        return SourceRow(
            prompt=text(value, "query"),
            category=self.category or "math",
            reference_answer=answer if marked else None,
            responses=(Response(teacher="gpt-3.5-turbo", text=response),),
        )
