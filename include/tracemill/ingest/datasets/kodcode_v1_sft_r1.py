"""KodCode/KodCode-V1-SFT-R1: synthetic Python problems with pytest files and a DeepSeek-R1 trace (arXiv 2503.02951)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import boolean, optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.datasets.kodcode import TEACHER, entry_point
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import messages


class KodcodeV1SftR1Source(DatasetSource):
    """The trace is the assistant's turn of `conversations`; `r1_correctness` ("True" or "False") its verdict."""

    kind: Literal["kodcode_v1_sft_r1"]
    repo: str = "KodCode/KodCode-V1-SFT-R1"
    license: str | None = "cc-by-nc-4.0"
    published_as: ClassVar[str | None] = "KodCode"
    documented: ClassVar[tuple[str, ...]] = (
        "question",
        "test",
        "test_info",
        "r1_correctness",
        "conversations",
    )

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row."""
        traces = [turn["content"] for turn in messages(value, "conversations") if turn["role"] == "assistant"]
        verdict = boolean(value.get("r1_correctness"), "r1_correctness")
        return SourceRow(
            native_id=own_id(value, "question_id"),
            prompt=text(value, "question"),
            category=self.category or "code",
            test_case={"test_code": text(value, "test"), "test_entry_point": entry_point(value)},
            difficulty=optional_text(value, "gpt_difficulty"),
            reference_solution=optional_text(value, "solution"),
            responses=tuple(Response(teacher=TEACHER, text=trace, verdict=verdict) for trace in traces[:1]),
        )
