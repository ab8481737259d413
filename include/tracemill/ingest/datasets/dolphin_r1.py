"""cognitivecomputations/dolphin-r1: chat and reasoning prompts with DeepSeek-R1 chains."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import conversation, messages


class DolphinR1Source(DatasetSource):
    """System turns hold the task as often as not, and stay."""

    kind: Literal["dolphin_r1"]
    repo: str = "cognitivecomputations/dolphin-r1"
    config: str | None = "reasoning-deepseek"
    license: str | None = "apache-2.0"
    published_as: ClassVar[str | None] = "Dolphin - R1"
    documented: ClassVar[tuple[str, ...]] = ("messages", "reasoning", "answer", "model")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row."""
        prompt, several = conversation(messages(value, "messages"))
        chain = optional_text(value, "reasoning")
        answer = optional_text(value, "answer")
        given = (Response(teacher=text(value, "model"), text=answer, thinking=chain or None),) if answer else ()
        return SourceRow(
            prompt=prompt,
            messages=several,
            category=self.category,
            responses=given,
        )
