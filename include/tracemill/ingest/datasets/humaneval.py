"""HumanEval with sampled completions (openai/human-eval; samples of microsoft/CodeT)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, own_id, text
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.source import Response, SourceRow


class HumanevalSource(FileSource):
    """A response is a completion: the program under test is prompt + completion, without a fence."""

    kind: Literal["humaneval"]
    teacher: str = "codegen-16b-mono"  # who wrote the completions
    documented: ClassVar[tuple[str, ...]] = ("prompt", "entry_point", "test", "samples")

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """The test case is HumanEval's own: prompt, `check(candidate)` source, and the entry point."""
        prompt = text(value, "prompt")
        return SourceRow(
            native_id=own_id(value, "task_id"),
            prompt=prompt,
            category=self.category or "code",
            test_case={"prompt": prompt, "test": text(value, "test"), "entry_point": text(value, "entry_point")},
            reference_solution=prompt + solution if (solution := optional_text(value, "canonical_solution")) else None,
            responses=tuple(
                Response(teacher=self.teacher, text=text({"samples": sample}, "samples"), sample_index=i)
                for i, sample in enumerate(items(value, "samples"))
            ),
        )
