"""Judges test sources with the program in another slot: the tests see stand-ins, the program sees no expected value."""

import json
import signal
from collections.abc import Generator
from typing import Any

from tracemill.sandbox.base import HumanEvalSuite, Job, Limits, Status
from tracemill.sandbox.judging.script import (
    Event,
    Order,
    build_failure,
    ending,
    expect,
    open_order,
    patience,
    refusal,
    run_order,
)
from tracemill.sandbox.judging.testfiles import Ran, TestSource, board_of, outcomes, payload_of, tests_limits

_END = {"order": "end"}


def _open(job: Job, limits: Limits, mode: str, part: bytes, role: str, prelude: bool) -> Order:
    whole = tests_limits(limits)
    first = run_order(mode, [part], whole.cpu_seconds, 0, each=limits.cpu_seconds)
    return open_order(job, whole, first, role=role, prelude=prelude)


class _Conversation:
    """Carries messages between the program and its tests until the tests have ended."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.reports: dict[str, Event] = {}

    def run(self, event: Event) -> Generator[Order | None, Event, None]:
        seconds = patience(self._limits)
        while "tests" not in self.reports:
            message, data = event
            role = message["role"]
            other = "tests" if role == "solution" else "solution"
            if message["event"] == "relay":
                event = yield Order({"order": "relay"}, data, other, seconds) if other not in self.reports else None
            else:
                self.reports[role] = (expect(message, "ran"), data)
                if other in self.reports:
                    return
                event = yield Order(_END, b"", other, seconds)
        while "solution" not in self.reports:
            if event[0]["event"] != "relay":
                self.reports["solution"] = (expect(event[0], "ran"), event[1])
                return
            event = yield None


def run_remotely(job: Job, limits: Limits, suite: TestSource) -> Generator[Order | None, Event, Ran]:
    """Run the program and its tests in two slots."""
    payload = payload_of(suite)
    prelude = isinstance(suite, HumanEvalSuite) and suite.entry_point.startswith("Solution()")
    for role in ("solution", "tests"):
        yield Order({"order": "close"}, role=role)
    event, _ = yield _open(job, limits, "serve", b"", "solution", prelude)
    if failure := build_failure(event):
        return Ran((), False, refusal(job, 1, Status.COMPILE_ERROR, failure), final=True)
    expect(event, "compiled")
    tests = job.model_copy(update={"source": ""})
    talk = _Conversation(tests_limits(limits))
    yield from talk.run((yield _open(tests, limits, "remote_tests", json.dumps(payload).encode(), "tests", False)))
    return _ran(job, tests_limits(limits), payload, talk.reports)


def _ran(job: Job, limits: Limits, payload: dict[str, Any], reports: dict[str, Event]) -> Ran:
    (solution, said), (tests, data) = reports["solution"], reports["tests"]
    failure = ending(solution, limits)
    found, ended, doubts = outcomes(data[tests["stderr"] :])
    board = board_of(found, ended, payload, failure or ending(tests, limits))
    for report in (solution, tests):
        board.charge(report)
    board.stderr = board.stderr or said[-2000:].decode("utf-8", "replace")
    verdict = board.verdict(job, "two slots")
    # Ended by the kernel for its own CPU time: another run would only cost as much again.
    burnt = solution["exit"] == -signal.SIGXCPU or solution["cpu"] > limits.cpu_seconds
    final = verdict.status is Status.ACCEPTED or (verdict.status is Status.TIME_LIMIT and burnt)
    return Ran(found, ended, verdict, final=final, doubtful=doubts > 0)
