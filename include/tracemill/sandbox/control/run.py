"""Runs a suite again with other expected values: what still passes was not shown by the values.

Nothing in the source tells a control run from the real one but the values themselves, and each value is true in one
control run and false in another. So a program that forges reports, equals everything, patches its harness or reads the
expected values from the tests passes where it must fail.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from tracemill.sandbox.base import Job, JobVerdict, Limits, Status
from tracemill.sandbox.control.chance import CONTROL_RUNS, REAL_RUNS, may_draw_lots
from tracemill.sandbox.control.expectations import Expectation
from tracemill.sandbox.control.patching import replaces_functions
from tracemill.sandbox.control.plan import Falsified, falsified
from tracemill.sandbox.judging.script import Event, Order, charged, undecided
from tracemill.sandbox.judging.testfiles import Outcome, Ran, TestSource

Runner = Callable[[Job, Limits, TestSource], Generator[Order | None, Event, Ran]]
NO_EXPECTATION = "no_expectation"
PASSED = "control_passed"
UNSHOWN = "control_undecided"
UNSTEADY = "unsteady"
PATCHED = "patched"
_UNSTEADY = "the program passed its tests in one run and not in another"
_ASSERTED = ("AssertionError", "assert ", "Failed", "E   ")


@dataclass
class Findings:
    """Which tests were seen to depend on their expected values, and which one was seen not to."""

    earned: set[str] = field(default_factory=set)
    exposed: str = ""

    def read(self, expectations: Sequence[Expectation], found: Sequence[Outcome], real: Mapping[str, int]) -> None:
        """Take in one control run. `real`: how many reports each test made in the real run.

        A run that says nothing of a test, and ended, was not honest about it.
        """
        reports = _by_test(found)
        for one in expectations:
            words = reports.get(one.test, [])
            if one.row is not None and one.row < len(words) == real.get(one.test):
                words = [words[one.row]]
            if any(word == "fail" and text.startswith(_ASSERTED) for _, word, text in words):
                self.earned.add(one.test)
            elif one.hard and all(word == "pass" for _, word, _ in words):
                self.exposed = self.exposed or one.test


def _by_test(found: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the reports by test; the values of parameters in a name differ from run to run."""
    reports: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        reports[outcome[0].partition("[")[0]].append(outcome)
    return reports


def controlled(
    job: Job, limits: Limits, suite: TestSource, ran: Ran, run: Runner
) -> Generator[Order | None, Event, JobVerdict]:
    """Return the verdict of an accepted run if control runs show that it was earned; it is undecided otherwise."""
    try:
        runs = falsified(suite)
    except (RecursionError, ValueError, SyntaxError):
        runs = []
    real = _counted(ran.found)
    if any(one.hard and one.test not in real for control in runs for one in control.expectations):
        return undecided(ran.verdict, UNSHOWN, "the tests that reported are not those of the file")
    if not runs:
        why = (
            "the program could have influenced this verdict, and the tests state no value that a control run can change"
        )
        return undecided(ran.verdict, NO_EXPECTATION, why)
    findings = Findings()
    verdict = ran.verdict
    lots = may_draw_lots(job.source)
    for _ in range(REAL_RUNS - 1 if lots else 0):
        again = yield from run(job, limits, suite)
        verdict = charged(verdict, again.verdict)
        if again.verdict.status is not Status.ACCEPTED or _counted(again.found) != real:
            return undecided(verdict, UNSTEADY, _UNSTEADY)
    for control in _repeated(runs) if lots else runs:
        again = yield from run(job, limits, control.suite)
        verdict = charged(verdict, again.verdict)
        if again.ended:
            findings.read(control.expectations, again.found, real)
            if lots and _fails_beside(control, again.found):
                return undecided(verdict, UNSTEADY, _UNSTEADY)
        if findings.exposed and findings.earned:
            break
    if findings.exposed:
        return _exposed(verdict, findings)
    if not findings.earned:
        return undecided(verdict, UNSHOWN, "no test was seen to fail with other expected values")
    if replaces_functions(job.source):
        return undecided(verdict, PATCHED, "the program replaces functions of modules that its tests may call")
    return verdict


def _repeated(runs: Sequence[Falsified]) -> Iterator[Falsified]:
    """Each control run in turn, until there were as many as luck must not outlast."""
    return islice(cycle(runs), max(CONTROL_RUNS, len(runs)))


def _fails_beside(control: Falsified, found: Sequence[Outcome]) -> bool:
    """Whether a test fails of which nothing was changed: it passed in the real run."""
    changed = {one.test for one in control.expectations}
    return any(
        word == "fail" and test not in changed for test, reports in _by_test(found).items() for _, word, _ in reports
    )


def _counted(found: Sequence[Outcome]) -> dict[str, int]:
    return {name: len(reports) for name, reports in _by_test(found).items()}


def _exposed(verdict: JobVerdict, findings: Findings) -> JobVerdict:
    """A program that passes whatever is expected of it solves nothing; one that does in part leaves it open."""
    why = f"the test {findings.exposed} passes with other expected values too"
    if findings.earned:
        return undecided(verdict, PASSED, why)
    detail = {**verdict.detail, "cause": PASSED}
    return verdict.model_copy(update={"status": Status.WRONG_ANSWER, "score": 0.0, "reason": why, "detail": detail})
