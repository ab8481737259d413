"""open-r1/OpenR1-Math-220k: NuminaMath problems with two to four DeepSeek-R1 traces each, judged by math-verify."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import boolean, items, optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.scalars import scalar_text
from tracemill.ingest.source import Response, RowError, SourceRow
from tracemill.ingest.worked import answer_of

TEACHER = "deepseek-r1"


class Openr1Math220kSource(DatasetSource):
    """`correctness_math_verify` is the published verdict; a trace that is not complete is marked as cut off."""

    kind: Literal["openr1_math_220k"]
    repo: str = "open-r1/OpenR1-Math-220k"
    config: str | None = "default"
    license: str | None = "apache-2.0"
    documented: ClassVar[tuple[str, ...]] = (
        "problem",
        "answer",
        "is_reasoning_complete",
        "generations",
        "correctness_math_verify",
    )

    @property
    def release_name(self) -> str:
        """The release names each configuration apart."""
        return self.released_as or f"openR1Math_{self.config or 'default'}"

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError when verdicts and traces differ in number."""
        return SourceRow(
            native_id=own_id(value, "uuid"),
            prompt=text(value, "problem"),
            category=self.category or "math",
            reference_answer=answer_of(optional_text(value, "answer")),
            responses=tuple(_responses(value)),
        )


def _responses(value: dict[str, Any]) -> list[Response]:
    traces = items(value, "generations")
    verdicts = _parallel(value, "correctness_math_verify", len(traces))
    complete = [boolean(one, "is_reasoning_complete") for one in _parallel(value, "is_reasoning_complete", len(traces))]
    finish = _parallel(value, "finish_reasons", len(traces)) if "finish_reasons" in value else [None] * len(traces)
    return [
        Response(
            teacher=TEACHER,
            text=text({"generations": trace}, "generations"),
            sample_index=i,
            finish_reason=scalar_text(finish[i], "finish_reasons") or ("length" if complete[i] is False else None),
            verdict=boolean(verdicts[i], "correctness_math_verify"),
        )
        for i, trace in enumerate(traces)
        if trace is not None
    ]


def _parallel(value: dict[str, Any], name: str, count: int) -> list[Any]:
    """A list with one entry a trace; a null list is unknown for all."""
    found = items(value, name)
    if found and len(found) != count:
        raise RowError("bad_value", f"column {name!r} has {len(found)} values for {count} generations")
    return found or [None] * count
