"""Judges function calls: all of a program's calls in one process, values compared outside.

A process that dies or runs out of time at a call fails that call only: it is made again alone, and the rest goes on in
a fresh process.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tracemill.sandbox.base import CallSuite, Job, Limits, Status
from tracemill.sandbox.comparators import Compare
from tracemill.sandbox.judging.results import OVERSIZE, finished_calls
from tracemill.sandbox.judging.script import (
    GROUP_SECONDS,
    Board,
    Event,
    Order,
    Script,
    build_failure,
    ending,
    expect,
    open_order,
    patience,
    refusal,
    run_order,
)
from tracemill.sandbox.values import value_right
from tracemill.sandbox.worker.codec import encode
from tracemill.sandbox.worker.frames import to_json

_GROUP_CALLS = 200
_GROUP_BYTES = 8 << 20
_ROOM = 16 << 10
_ROOM_PER_BYTE = 24

# A program that cannot be imported, or lacks the function, raised nothing that a test may ask for.
_WORDS = {"unimportable": "the import ", "absent": "looking the function up "}

Accept = Callable[[str, Any], bool]


@dataclass(frozen=True)
class Call:
    """One call of the program and the rule for its result; `test` is the test that it belongs to.

    `room`: bytes that a right result can take; a longer one is not even parsed.
    """

    test: int
    payload: list[Any]
    accept: Accept
    room: int = 4 << 20


def payload(name: str, arguments: Sequence[Any], named: Mapping[str, Any] | None = None) -> list[Any]:
    """Return a call as the worker reads it: name, positional and named arguments, values tagged."""
    keywords = [[key, _encoded(value)] for key, value in named.items()] if named else []
    return [name, [_encoded(value) for value in arguments], {"d": keywords}]


def _encoded(value: Any) -> Any:
    """Return an argument for the wire; a range is one for the program too."""
    return encode(value, other=lambda one: {"R": [one.start, one.stop, one.step]} if type(one) is range else {"x": ""})


def _equals(compare: Compare, test: int, expected: Any) -> Accept:
    return lambda word, value: word == "ok" and value_right(compare, test, value, expected)


class _Reading:
    """Either reading of expected values that may or may not be wrapped in a list, but the same for every test."""

    def __init__(self, suite: CallSuite) -> None:
        self._compare = suite.compare
        self._wrapped = {False, True}

    def accepts(self, test: int, expected: Any) -> Accept:
        """Return the rule for one call; it accepts what agrees with a reading that all calls before agreed with."""

        def accept(word: str, value: Any) -> bool:
            readings = {
                wrapped for wrapped in self._wrapped if word == "ok" and self._equal(test, value, expected, wrapped)
            }
            self._wrapped = readings or self._wrapped
            return bool(readings)

        return accept

    def _equal(self, test: int, value: Any, expected: Any, wrapped: bool) -> bool:
        return value_right(self._compare, test, value, [expected] if wrapped else expected)


def calls_of(suite: CallSuite) -> list[Call]:
    """Return a call suite's calls, one per test."""
    pairs = list(zip(suite.args, suite.expected, strict=True))[: suite.max_tests]
    rule = _Reading(suite).accepts if suite.or_wrapped else partial(_equals, suite.compare)
    return [
        Call(at, payload(f"?{suite.fn_name}", args), rule(at, want), _room(suite.compare, at, want))
        for at, (args, want) in enumerate(pairs)
    ]


def _room(compare: Compare, test: int, expected: Any) -> int:
    """Return the bytes that a right result can take: a whole number may come as a float, with a tag around it."""
    listed = compare.answers[test] if test < len(compare.answers) else ()
    return _ROOM + _ROOM_PER_BYTE * max(len(to_json(encode(value))) for value in (expected, *listed))


class CallJudge:
    """Judges a list of calls; a test passes when all its calls do."""

    def __init__(self, job: Job, limits: Limits, calls: Sequence[Call], prelude: bool) -> None:
        self.job = job
        self.limits = limits
        self.calls = calls
        self.prelude = prelude
        self.board = Board.of(1 + max(call.test for call in calls))
        self.next = 0
        self.opaque = False

    def script(self, method: str = "calls") -> Script:
        """Run every call; returns the verdict."""
        count, first = self._order(_GROUP_CALLS)
        event, data = yield open_order(self.job, self.limits, first, prelude=self.prelude)
        if failure := build_failure(event):
            return refusal(self.job, len(self.board.tests), Status.COMPILE_ERROR, failure)
        yield from self._settle(count, (event, data))
        while self.next < len(self.calls) and not self.board.spent(self.limits):
            yield from self._settle(*(yield from self._run(_GROUP_CALLS)))
        return self.board.verdict(self.job, method)

    def _order(self, most: int) -> tuple[int, tuple[dict[str, Any], bytes]]:
        """Return how many of the next calls (at least one, at most `most`) the order makes, and the order."""
        texts: list[str] = []
        size = 0
        for call in self.calls[self.next : self.next + most]:
            texts.append(to_json(call.payload))
            size += len(texts[-1])
            if size > _GROUP_BYTES:
                break
        cpu = self.board.seconds(self.limits)
        rest = None if len(texts) == 1 else GROUP_SECONDS
        return len(texts), run_order("calls", [f"[{','.join(texts)}]".encode()], cpu, 0, rest=rest)

    def _run(self, most: int) -> Generator[Order | None, Event, tuple[int, Event]]:
        count, (message, blob) = self._order(most)
        return count, (yield Order(message, blob, seconds=patience(self.limits)))

    def _settle(self, count: int, answer: Event) -> Generator[Order | None, Event, None]:
        report = expect(answer[0], "ran")
        data = answer[1]
        self.board.charge(report)
        at = sum(report["lengths"])
        stderr = data[at : at + report["stderr"]]
        frames = data[at + report["stderr"] :]
        done = finished_calls(frames, [call.room for call in self.calls[self.next : self.next + count]])
        slow = count == 1 and report["cpu"] > self.limits.cpu_seconds
        for word, value in [] if slow else done:
            self._judge(self.calls[self.next], word, value, stderr)
            self.next += 1
        if slow or (not done and (count == 1 or self.board.had_its_time(report))):
            self._fail(report, stderr)
        elif len(done) < count and not self.board.spent(self.limits):
            yield from self._settle(*(yield from self._run(1)))

    def _fail(self, report: dict[str, Any], stderr: bytes) -> None:
        failure = ending(report, self.limits, self.board.seconds(self.limits)) or Status.RUNTIME_ERROR
        self.board.record(self.calls[self.next].test, failure, stderr=stderr)
        self.next += 1

    def _judge(self, call: Call, word: str, value: Any, stderr: bytes) -> None:
        if call.accept(word, value):
            if self.board.tests[call.test] == "not_run":
                self.board.record(call.test, Status.ACCEPTED)
            return
        failures = {
            "ok": Status.WRONG_ANSWER,
            "garbled": Status.WRONG_ANSWER,
            OVERSIZE: Status.WRONG_ANSWER,
            "memory": Status.MEMORY_LIMIT,
        }
        status = failures.get(word, Status.RUNTIME_ERROR)
        named = word in ("raised", "unimportable", "absent") and isinstance(value, list) and value
        reason = f"{_WORDS.get(word, '')}raised {value[0]}" if named else ""
        self.board.record(call.test, status, reason[:200], stderr)


def judge_calls(job: Job, limits: Limits, suite: CallSuite) -> Script:
    """Return the script that judges a call suite."""
    return CallJudge(job, limits, calls_of(suite), prelude=True).script()
