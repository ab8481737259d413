"""IFEval (arXiv 2311.07911): 541 prompts with instructions that a program can check."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.engine.days import Day
from tracemill.ingest.columns import own_id, text
from tracemill.ingest.datasets.benchmark import Benchmark
from tracemill.ingest.datasets.ifeval_like import constraints_of
from tracemill.ingest.source import SourceRow


class Ifeval(Benchmark):
    """An item is passed when all of its instructions are followed: the authors' strict accuracy by prompt."""

    kind: Literal["ifeval"]
    repo: str = "google/IFEval"
    license: str | None = "apache-2.0"
    published: Day | None = "2023-11-14"

    documented: ClassVar[tuple[str, ...]] = ("prompt", "instruction_id_list", "kwargs")
    title: ClassVar[str] = "IFEval"
    whole: ClassVar[int | None] = 541

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one item. Raises RowError for instructions and arguments that differ in number."""
        return SourceRow(
            native_id=own_id(value, "key"),
            prompt=text(value, "prompt"),
            category=self.category or "instruction following",
            constraints=constraints_of(value),
        )
