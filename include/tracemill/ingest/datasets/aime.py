"""AIME problems 1983 to 2023 with their integer answers (as prepared by agentica-project/rllm)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import difficulty, own_id, text
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.source import SourceRow


class AimeSource(FileSource):
    """Problems and answers only; there are no responses."""

    kind: Literal["aime"]
    documented: ClassVar[tuple[str, ...]] = ("problem", "answer")

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """The id is year, contest and number, such as 1983-I-1."""
        year, contest, place = (own_id(value, name) for name in ("year", "aime_number", "problem_number"))
        return SourceRow(
            native_id="-".join(part for part in (year, {"1": "I", "2": "II"}.get(contest, contest), place) if part),
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=text(value, "answer"),
            **difficulty(value, "difficulty"),
        )
