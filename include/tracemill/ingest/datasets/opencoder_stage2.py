"""OpenCoder-LLM/opc-sft-stage2: instructions for code, with assert lines in `educational_instruct`."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.exact_json import decoded
from tracemill.ingest.source import Response, RowError, SourceRow


class OpencoderStage2Source(DatasetSource):
    """Only the configuration `educational_instruct` has tests."""

    kind: Literal["opencoder_stage2"]
    repo: str = "OpenCoder-LLM/opc-sft-stage2"
    config: str | None = "educational_instruct"
    license: str | None = "mit"
    published_as: ClassVar[str | None] = "OpenCoder"
    documented: ClassVar[tuple[str, ...]] = ("instruction", "output")

    def required(self) -> tuple[str, ...]:
        """The tests' columns too, where the configuration has them."""
        tests = ("entry_point", "testcase") if self.config == "educational_instruct" else ()
        return (*self.documented, *tests)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for tests that are no list of assert lines."""
        asserts = assert_lines(value) if "testcase" in value else []
        entry = optional_text(value, "entry_point") if asserts else None
        return SourceRow(
            native_id=own_id(value, "seq_id"),
            prompt=text(value, "instruction"),
            category=self.category or "code",
            test_case={"call_type": "assert", "fn_name": entry, "assert_case": asserts} if asserts else None,
            reference_solution=optional_text(value, "code"),
            responses=(Response(teacher="opencoder_stage2", text=text(value, "output")),),
        )


def assert_lines(value: dict[str, Any]) -> list[str]:
    """The assert lines, whether they came as a list or as JSON text of one."""
    found = value["testcase"]
    if isinstance(found, str):
        try:
            found = decoded(found.encode())
        except (json.JSONDecodeError, UnicodeEncodeError) as error:
            raise RowError("bad_value", f"column 'testcase' should be a JSON list: {error}") from error
    lines = items({"testcase": found}, "testcase")
    if not all(isinstance(line, str) for line in lines):
        raise RowError("bad_value", "column 'testcase': an entry is no text")
    return lines
