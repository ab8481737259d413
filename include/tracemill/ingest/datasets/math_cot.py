"""MATH problems with sampled chains of thought and their scores (QwenLM/Qwen2.5-Math evaluation outputs)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import boolean, optional_text, own_id, same_length, text
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.source import Response, SourceRow


class MathCotSource(FileSource):
    """Responses are in `code` (text, in spite of its name), the published verdicts in `score`, in the same order."""

    kind: Literal["math_cot"]
    teacher: str = "qwen2.5-math"  # who wrote the responses
    documented: ClassVar[tuple[str, ...]] = ("question", "answer", "code", "score")

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Raises RowError when responses and scores differ in number."""
        responses = same_length(value, "code", "score")
        return SourceRow(
            native_id=own_id(value, "idx"),
            prompt=text(value, "question"),
            category=self.category or "math",
            reference_answer=text(value, "answer"),
            difficulty=optional_text(value, "level"),
            responses=tuple(
                Response(
                    teacher=self.teacher,
                    text=text({"code": code}, "code"),
                    sample_index=i,
                    verdict=boolean(score, "score"),
                )
                for i, (code, score) in enumerate(responses)
            ),
        )
