"""LiveCodeBench (arXiv 2403.07974): programming problems by the day of their contest, with hidden tests."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from tracemill.engine.days import Day, on_the_calendar
from tracemill.engine.resources import Resources
from tracemill.ingest.columns import mapping, optional_text, own_id, text
from tracemill.ingest.datasets.benchmark import OUTSIDE, Benchmark
from tracemill.ingest.formats.listing import DataFile
from tracemill.ingest.source import RowError, SourceRow

Release = Literal["v1", "v2", "v3", "v4", "v5", "v6"]
_TESTS = ("public_test_cases", "private_test_cases")
_FILE = re.compile(r"(?:^|/)test(\d?)\.jsonl$")
# The generic prompt of its authors (lcb_runner/prompts/code_generation.py).
_WITH_STARTER = (
    "### Format: You will use the following starter code to write the solution to the problem and enclose your code "
    "within delimiters.\n```python\n{starter}\n```\n\n"
)
_WITHOUT = (
    "### Format: Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on "
    "the sample inputs). Enclose your code within delimiters as follows. Ensure that when the python program runs, it "
    "reads the inputs, runs the algorithm and writes output to STDOUT.\n```python\n# YOUR CODE HERE\n```\n\n"
)
_END = "### Answer: (use the provided format with backticks)\n\n"


class LiveCodeBench(Benchmark):
    """Problems of contests from `since` to `until`, both among them. `release`: the files of that release alone.

    v5 has contests until February 2025, v6 adds some of its months. Hidden tests come packed; they are unpacked where
    programs run, and nothing of them is unpickled.
    """

    kind: Literal["livecodebench"]
    repo: str = "livecodebench/code_generation_lite"
    split: str = "test"  # the split of the data set that is read
    license: str | None = "cc"  # "cc" on its card
    longest_row: int = 256 << 20  # bytes: hidden tests have tens of MB
    since: Day | None = None
    until: Day | None = None
    release: Release = "v6"

    documented: ClassVar[tuple[str, ...]] = ("question_content", "contest_date", *_TESTS)

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since ({self.since}) is after until ({self.until})")
        return self

    @property
    def release_name(self) -> str:
        """LiveCodeBench with its window, as each window has scores of its own."""
        window = (
            f" {self.since or ''} to {self.until or ''}".rstrip() if self.since or self.until else f" {self.release}"
        )
        return self.released_as or f"LiveCodeBench{window}"

    def files(self, resources: Resources) -> list[DataFile]:
        """The files of the release: each adds one to those of the release before; files of other names all count."""
        last = int(self.release[1:])
        numbered = [(_FILE.search(file.shown), file) for file in super().files(resources)]
        return [file for found, file in numbered if found is None or int(found[1] or 1) <= last]

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one item. Raises RowError for one outside the window, and for tests that are missing."""
        day = text(value, "contest_date")[:10]
        if not on_the_calendar(day):
            raise RowError("bad_value", f"column 'contest_date' should begin with a day, is {day!r}")
        if (self.since and day < self.since) or (self.until and day > self.until):
            raise RowError(OUTSIDE, f"a contest of {day} is outside {self.since or '...'} to {self.until or '...'}")
        tests = {name: found for name in _TESTS if (found := optional_text(value, name))}
        known = mapping(value, "metadata") if value.get("metadata") else None
        starter = optional_text(value, "starter_code")
        form = _WITH_STARTER.format(starter=starter) if starter else _WITHOUT
        return SourceRow(
            native_id=own_id(value, "question_id"),
            prompt=f"### Question:\n{text(value, 'question_content')}\n\n{form}{_END}",
            category=self.category or "code",
            test_case={**tests, **({"metadata": known} if known else {})} if tests else None,
            difficulty=optional_text(value, "difficulty"),
            published=day,
        )
