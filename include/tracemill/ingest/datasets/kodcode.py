"""KodCode problems with pytest files and DeepSeek-R1 responses judged by KodCode's authors (arXiv 2503.02951)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import boolean, items, optional_text, own_id, same_length, text
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.source import Response, RowError, SourceRow

TEACHER = "deepseek-r1"


class KodcodeSource(FileSource):
    """Three R1 responses a problem; `r1_test_result` ("Pass", "Fail" or null) is the published verdict."""

    kind: Literal["kodcode"]
    documented: ClassVar[tuple[str, ...]] = (
        "question",
        "test_code",
        "test_info",
        "r1_generations",
        "r1_test_result",
    )

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Raises RowError when responses and results differ in number."""
        responses = same_length(value, "r1_generations", "r1_test_result")
        return SourceRow(
            native_id=own_id(value, "question_id"),
            prompt=text(value, "question"),
            category=self.category or "code",
            test_case={"test_code": text(value, "test_code"), "test_entry_point": entry_point(value)},
            difficulty=optional_text(value, "gpt_difficulty"),
            reference_solution=optional_text(value, "solution"),
            responses=tuple(
                Response(
                    teacher=TEACHER,
                    text=text({"r1_generations": trace}, "r1_generations"),
                    sample_index=i,
                    verdict=boolean(result, "r1_test_result"),
                )
                for i, (trace, result) in enumerate(responses)
                if trace is not None
            ),
        )


def entry_point(value: dict[str, Any]) -> str | None:
    """The tested function: the first that `test_info` names. Raises RowError for an entry that is no object."""
    for info in items(value, "test_info"):
        if not isinstance(info, dict):
            raise RowError("bad_value", f"column 'test_info': an entry should be an object, is {type(info).__name__}")
        return optional_text(info, "function_name")
    return None
