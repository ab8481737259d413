"""The conformance table: what every backend must call every program, and how to run it on the machine at hand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracemill.sandbox.base import Job, JobVerdict, Sandbox, SandboxError, SandboxSettings, Status
from tracemill.sandbox.conformance import cheating, correct, forging, isolation, native, resources
from tracemill.sandbox.conformance.case import ACCEPTED, ONE_SUM, Case
from tracemill.sandbox.languages import all_languages
from tracemill.sandbox.pool import open_sandbox

__all__ = ["Case", "Row", "cases", "missing_parts", "run_table", "summary"]

_PARTS = {
    "numpy": ("python", "import numpy\nprint(sum(map(int, input().split())))"),
    "pytest": ("python", "import pytest\nprint(sum(map(int, input().split())))"),
    **{
        language.name: (language.name, language.cases["accepted"])
        for language in all_languages().values()
        if language.cases
    },
}


@dataclass(frozen=True)
class Row:
    """A case, the verdict it got (None when it was not run) and what that means."""

    case: Case
    verdict: JobVerdict | None
    note: str = ""

    @property
    def right(self) -> bool:
        """Whether the verdict is one that the case allows; a case that was not run is not wrong."""
        return self.verdict is None or self.verdict.status in self.case.wanted

    @property
    def breach(self) -> bool:
        """Whether a program was accepted that must not be: an escape or a false accept."""
        return self.verdict is not None and self.case.must_fail and self.verdict.status is Status.ACCEPTED

    @property
    def false_reject(self) -> bool:
        """Whether a correct program was not accepted."""
        return not self.right and Status.ACCEPTED in self.case.wanted


def cases() -> list[Case]:
    """Return the whole table; names are unique."""
    return [*correct.CASES, *resources.CASES, *isolation.CASES, *cheating.CASES, *forging.CASES, *native.CASES]


def missing_parts(settings: SandboxSettings) -> frozenset[str]:
    """Return which of numpy, pytest and the languages this backend's sandbox lacks."""
    missing = set()
    for part, (language, source) in _PARTS.items():
        job = Job.model_validate({"id": part, "source": source, "suite": ONE_SUM, "language": language})
        try:
            with open_sandbox(settings.model_copy(update={"workers": 1})) as sandbox:
                if next(iter(sandbox.judge([job]))).status not in ACCEPTED:
                    missing.add(part)
        except SandboxError:
            missing.add(part)
    return frozenset(missing)


def run_table(sandbox: Sandbox, table: Sequence[Case], missing: frozenset[str] = frozenset()) -> Iterator[Row]:
    """Judge every case and yield rows as they come; cases that need a missing part come first, with a note."""
    todo = {}
    for case in table:
        if case.needs in missing:
            yield Row(case, None, f"{case.needs} is not in this sandbox")
        else:
            todo[case.name] = case
    jobs = (
        Job.model_validate(
            {"id": c.name, "source": c.source, "suite": c.suite, "language": c.language, "limits": c.limits}
        )
        for c in todo.values()
    )
    for verdict in sandbox.judge(jobs):
        yield Row(todo[verdict.id], verdict)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the counts that decide: cases, right, breaches, false rejects, other wrong verdicts, not run."""
    counts = Counter(
        "breaches" if row.breach else "false_rejects" if row.false_reject else "other_wrong"
        for row in rows
        if not row.right
    )
    keys = ("breaches", "false_rejects", "other_wrong")
    skipped = sum(row.verdict is None for row in rows)
    right = sum(row.right for row in rows) - skipped
    return {"cases": len(rows), "right": right, "not_run": skipped, **{key: counts[key] for key in keys}}
