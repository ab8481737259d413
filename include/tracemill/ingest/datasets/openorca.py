"""Open-Orca/OpenOrca: FLAN questions answered by GPT-3.5 and GPT-4 (arXiv 2306.02707)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow


class OpenorcaSource(DatasetSource):
    """`system: join` puts the system prompt before the question, with a blank line; `drop` leaves it out."""

    kind: Literal["openorca"]
    repo: str = "Open-Orca/OpenOrca"
    system: Literal["join", "drop"] = "join"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("system_prompt", "question", "response")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the response has no chain."""
        question = text(value, "question")
        system = (optional_text(value, "system_prompt") or "").strip() if self.system == "join" else ""
        return SourceRow(
            native_id=own_id(value, "id"),
            prompt=f"{system}\n\n{question}" if system and question.strip() else question,
            category=self.category,
            responses=(Response(teacher="openorca", text=text(value, "response")),),
        )
