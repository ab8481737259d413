"""Runs a special judge in its own slot: a program that sees input, output and answer as files, never the program."""

import re
from collections.abc import Generator

from tracemill.sandbox.base import Job, Limits, StdioSuite, SuiteError
from tracemill.sandbox.judging.script import (
    Event,
    Order,
    build_failure,
    expect,
    language_of,
    open_order,
    patience,
    run_order,
)

_CHECKER_CPU_SECONDS = 10.0
_OUTPUT_BYTES = 1 << 16
_SCORE = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_TRACEBACK = b"Traceback (most recent call last)"
_TESTLIB_FAILED = 3  # _fail: the jury's answer is worse than the program's, or the test is broken
_SAYS_WRONG = frozenset({1, 2, 4, 5, 7, 8, 16})  # testlib: wrong answer, presentation error, dirt, points, partly right


class CheckerRun:
    """A suite's checker, kept open for one program's tests. A checker that breaks is a fault of the data."""

    def __init__(self, job: Job, suite: StdioSuite, limits: Limits) -> None:
        self._suite = suite
        self._compare = suite.compare
        self._limits = limits.model_copy(update={"cpu_seconds": _CHECKER_CPU_SECONDS, "allow_fork": False})
        compare = suite.compare
        self._job = job.model_copy(update={"source": compare.checker, "language": compare.language, "limits": None})
        self._opened = False

    def script(self, test: int, output: bytes) -> Generator[Order | None, Event, bool]:
        """Return whether the checker accepts `output` for test number `test`."""
        event, data = yield self._order(test, output)
        if failure := build_failure(event, self._job.source):
            raise SuiteError(f"the checker does not compile: {failure[:500]}")
        self._opened = True
        report = expect(event, "ran")
        said = data[: report["lengths"][0]]
        self._check_it_ran(report, data[report["lengths"][0] :])
        return self._accepts(report["exit"], said)

    def _order(self, test: int, output: bytes) -> Order:
        files = {
            "input": self._suite.inputs[test].encode("utf-8", "surrogatepass"),
            "output": output,
            "answer": self._suite.outputs[test].encode("utf-8", "surrogatepass"),
        }
        names = self._compare.arguments
        message, blob = run_order("files", [files[name] for name in names], _CHECKER_CPU_SECONDS, _OUTPUT_BYTES)
        message["files"] = list(names)
        if self._opened:
            return Order(message, blob, role="tests", seconds=patience(self._limits))
        language_of(self._job)
        return open_order(self._job, self._limits, (message, blob), role="tests")

    def _check_it_ran(self, report: dict[str, object], errors: bytes) -> None:
        """Raise SuiteError for a checker that decided nothing: it crashed, or used up its limits.

        A Python program that raised ends as one that says "wrong" does; of those only a failed assertion is an answer.
        """
        code = report["exit"]
        raised = errors.rstrip().rpartition(b"\n")[2] if code == 1 and errors.startswith(_TRACEBACK) else b""
        if raised and not raised.startswith(b"AssertionError"):
            raise SuiteError(f"the checker broke: {raised.decode('utf-8', 'replace')[:200]}")
        decided = code == 0 if self._compare.says == "score" else code == 0 or code in _SAYS_WRONG
        if report["idle"] or report.get("oom") or not decided or code == _TESTLIB_FAILED:
            raise SuiteError(f"the checker ended with {code} instead of an answer")

    def _accepts(self, code: int, said: bytes) -> bool:
        if self._compare.says == "exit":
            return code == 0
        score = _SCORE.search(said)
        if score is None:
            raise SuiteError(f"the checker printed no score: {said[:100]!r}")
        return float(score[0]) > 0
