"""OpenCoder-LLM/opc-sft-stage2: instructions for code, with assert lines in `educational_instruct`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import orjson

from tracemill.sources.base import Response, RowError, SourceRow
from tracemill.sources.columns import items, optional_text, text
from tracemill.sources.dataset import DatasetSource


class OpencoderStage2Source(DatasetSource):
    """Only the configuration `educational_instruct` has tests."""

    kind: Literal["opencoder_stage2"]
    repo: str = "OpenCoder-LLM/opc-sft-stage2"
    config: str | None = "educational_instruct"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("instruction", "output")

    def required(self) -> tuple[str, ...]:
        """The tests' columns too, where the configuration has them."""
        tests = ("seq_id", "entry_point", "testcase") if self.config == "educational_instruct" else ()
        return (*self.documented, *tests)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for tests that are no list of assert lines."""
        asserts = assert_lines(value) if "testcase" in value else []
        entry = optional_text(value, "entry_point") if asserts else None
        return SourceRow(
            native_id=(optional_text(value, "seq_id") or "") if "seq_id" in value else "",
            prompt=text(value, "instruction"),
            category=self.category or "code",
            test_case={"call_type": "assert", "fn_name": entry, "assert_case": asserts} if asserts else None,
            responses=(Response(teacher="opencoder_stage2", text=text(value, "output")),),
        )


def assert_lines(value: dict[str, Any]) -> list[str]:
    """The assert lines, whether they came as a list or as JSON text of one."""
    found = value["testcase"]
    if isinstance(found, str):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError as error:
            raise RowError("bad_value", f"column 'testcase' should be a JSON list: {error}") from error
    lines = items({"testcase": found}, "testcase")
    if not all(isinstance(line, str) for line in lines):
        raise RowError("bad_value", "column 'testcase': an entry is no text")
    return lines
