"""HumanEval with sampled completions (openai/human-eval; samples of microsoft/CodeT)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import Response, SourceRow
from tracemill.sources.columns import items, text
from tracemill.sources.files import FileSource


class HumanevalSource(FileSource):
    """A response is a completion: the program under test is prompt + completion, without a fence."""

    kind: Literal["humaneval"]
    teacher: str = "codegen-16b-mono"
    documented: ClassVar[tuple[str, ...]] = ("task_id", "prompt", "entry_point", "test", "samples")

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """The test case is HumanEval's own: prompt, `check(candidate)` source, and the entry point."""
        prompt = text(value, "prompt")
        return SourceRow(
            native_id=text(value, "task_id"),
            prompt=prompt,
            category=self.category or "code",
            test_case={"prompt": prompt, "test": text(value, "test"), "entry_point": text(value, "entry_point")},
            responses=tuple(
                Response(teacher=self.teacher, text=str(sample), sample_index=i)
                for i, sample in enumerate(items(value, "samples"))
            ),
        )
