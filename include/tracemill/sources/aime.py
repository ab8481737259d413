"""AIME problems 1983 to 2023 with their integer answers (as prepared by agentica-project/rllm)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import SourceRow
from tracemill.sources.columns import optional_text, text
from tracemill.sources.files import FileSource


class AimeSource(FileSource):
    """Problems and answers only; there are no responses."""

    kind: Literal["aime"]
    documented: ClassVar[tuple[str, ...]] = ("problem", "answer", "year", "aime_number", "problem_number")

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """The id is year, contest and number, such as 1983-I-1."""
        contest = {"1": "I", "2": "II"}.get(text(value, "aime_number"), text(value, "aime_number"))
        return SourceRow(
            native_id=f"{text(value, 'year')}-{contest}-{text(value, 'problem_number')}",
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=text(value, "answer"),
            difficulty=optional_text(value, "difficulty") if "difficulty" in value else None,
        )
