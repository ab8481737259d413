"""Judges standard input to standard output: many tests in one process first, alone whatever is not right at once.

A group's output that is right is accepted when the kernel charged the whole group no more CPU than one test may use.
That is sound because no expected value is inside: shared state can let an honest program pass, never a dishonest one.
Everything else is run alone before it counts as failed.
"""

from collections import deque
from collections.abc import Generator

from tracemill.sandbox.base import Job, Limits, Status, StdioSuite
from tracemill.sandbox.comparators import Comparer
from tracemill.sandbox.judging.checker import CheckerRun
from tracemill.sandbox.judging.results import finished_tests
from tracemill.sandbox.judging.script import (
    GROUP_SECONDS,
    Board,
    Event,
    Order,
    Script,
    build_failure,
    ending,
    expect,
    language_of,
    open_order,
    patience,
    refusal,
    run_order,
)

_GROUP_TESTS = 20
_GROUP_BYTES = 8 << 20
_GROUP_OUTPUT = 64 << 20
_SIGXCPU = -24


class _StdioJudge:
    def __init__(self, job: Job, limits: Limits, suite: StdioSuite) -> None:
        count = len(suite.inputs) if suite.max_tests is None else min(suite.max_tests, len(suite.inputs))
        self.job = job
        self.limits = limits
        self.suite = suite
        self.inputs = [text.encode("utf-8", "surrogatepass") for text in suite.inputs[:count]]
        self.board = Board.of(count)
        self.comparer = Comparer(suite.compare)
        self.checker = CheckerRun(job, suite, limits)
        self.queue = deque(sorted(range(count), key=lambda test: len(self.inputs[test])))
        self.grouped = not language_of(job).native and suite.compare.name != "checker"

    def _take(self) -> list[int]:
        taken = [self.queue.popleft()]
        size = len(self.inputs[taken[0]])
        while self.grouped and self.queue and len(taken) < _GROUP_TESTS:
            size += len(self.inputs[self.queue[0]])
            if size > _GROUP_BYTES:
                break
            taken.append(self.queue.popleft())
        return taken

    def _order(self, tests: list[int]) -> tuple[dict[str, object], bytes]:
        parts = [self.inputs[test] for test in tests]
        cap = sum(map(self._room, tests))
        if len(tests) > 1:
            room = min(cap, _GROUP_OUTPUT)
            return run_order("group", parts, self.board.seconds(self.limits), room, rest=GROUP_SECONDS)
        return run_order("alone", parts, self.board.seconds(self.limits), cap)

    def _room(self, test: int) -> int:
        """Return how many bytes of a test's output are worth reading: one more than a right one can have."""
        if self.suite.compare.name == "checker":
            return self.limits.output_bytes
        return min(self.limits.output_bytes, self.comparer.room(test, self.suite.outputs[test]) + 1)

    def _right(self, test: int, output: bytes) -> bool:
        return self.comparer.right(test, output, self.suite.outputs[test])

    def script(self) -> Script:
        taken = self._take()
        event, data = yield open_order(self.job, self.limits, self._order(taken))
        if failure := build_failure(event, self.job.source):
            return refusal(self.job, len(self.board.tests), Status.COMPILE_ERROR, failure)
        yield from self._settle(taken, (event, data))
        while self.queue and not self.board.spent(self.limits):
            taken = self._take()
            yield from self._settle(taken, (yield self._run(taken)))
        return self.board.verdict(self.job, "stdio")

    def _run(self, tests: list[int]) -> Order:
        message, blob = self._order(tests)
        return Order(message, blob, seconds=patience(self.limits))

    def _settle(self, tests: list[int], answer: Event) -> Generator[Order | None, Event, None]:
        report = expect(answer[0], "ran")
        self.board.charge(report)
        if len(tests) == 1:
            yield from self._judge_alone(tests[0], answer)
            return
        wrong = self._accept_from_group(tests, answer)
        first = None if answer[0]["results"] else tests[0]  # nothing was reported: all the time went to the first
        for test in wrong:
            if self.board.spent(self.limits):
                return
            if test == first and self.board.had_its_time(report):
                self.board.record(test, Status.TIME_LIMIT)
                continue
            again = yield self._run([test])
            self.board.charge(expect(again[0], "ran"))
            yield from self._judge_alone(test, again)

    def _accept_from_group(self, tests: list[int], answer: Event) -> list[int]:
        """Accept what is right; put tests that were not reached back; return those to be run alone."""
        report, data = answer
        lengths = report["lengths"]
        results_at = sum(lengths) + report["stderr"]
        words = finished_tests(data[results_at:], len(tests))
        interrupted = len(words) < len(tests)
        killed_for_time = report["exit"] == _SIGXCPU or report["idle"]
        self.grouped = killed_for_time if interrupted else report["exit"] == 0
        if not self.grouped and not interrupted:
            return tests
        fair = report["cpu"] <= self.limits.cpu_seconds and report["stderr_size"] < self.limits.output_bytes
        wrong = []
        at = 0
        for place, word in enumerate(words):
            output = data[at : at + lengths[place]]
            at += lengths[place]
            whole = report["sizes"][place] == lengths[place] < self.limits.output_bytes
            if fair and whole and word == "ok" and self._right(tests[place], output):
                self.board.record(tests[place], Status.ACCEPTED)
            else:
                wrong.append(tests[place])
        if interrupted:
            wrong.append(tests[len(words)])
            self.queue.extendleft(reversed(tests[len(words) + 1 :]))
        return wrong

    def _judge_alone(self, test: int, answer: Event) -> Generator[Order | None, Event, None]:
        report, data = answer
        output = data[: report["lengths"][0]]
        stderr = data[report["lengths"][0] :][: report["stderr"]]
        failure = ending(report, self.limits, self.board.seconds(self.limits))
        if failure is not None:
            self.board.record(test, failure, _how(failure, report), stderr)
            return
        if self.suite.compare.name == "checker":
            right = yield from self.checker.script(test, output)
        else:
            right = self._right(test, output)
        self.board.record(test, Status.ACCEPTED if right else Status.WRONG_ANSWER, "wrong output", stderr)


def _how(failure: Status, report: dict[str, object]) -> str:
    if failure is Status.RUNTIME_ERROR:
        return f"ended with {report['exit']}"
    return failure.value.replace("_", " ")


def judge_stdio(job: Job, limits: Limits, suite: StdioSuite) -> Script:
    """Return the script that judges a standard-input suite."""
    return _StdioJudge(job, limits, suite).script()
