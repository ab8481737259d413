"""Decides on a test source by the cheapest run that can be believed, and never against a program for a limit of ours.

A pass with the expected values out of the program's reach stands. A failure there may be the harness's own (an object
that does not travel, a file that two processes should share): it counts only when the program also fails as plain
pytest would run it, in one process. A pass in one process stands after control runs (see control/run.py).
"""

from collections.abc import Generator

from tracemill.sandbox.base import Job, JobVerdict, Limits, Status
from tracemill.sandbox.control.run import controlled
from tracemill.sandbox.judging.lowered import judge_as_calls
from tracemill.sandbox.judging.lowering import NotLowerable
from tracemill.sandbox.judging.rules import OpaqueValue
from tracemill.sandbox.judging.script import Event, Order, Script, charged, undecided
from tracemill.sandbox.judging.testfiles import Ran, TestSource, run_in_process, runs_in_one_process
from tracemill.sandbox.judging.two_slots import run_remotely

_FINAL = frozenset((Status.ACCEPTED, Status.COMPILE_ERROR, Status.TIME_LIMIT, Status.MEMORY_LIMIT, Status.OUTPUT_LIMIT))


def judge_tests(job: Job, limits: Limits, suite: TestSource) -> Script:
    """Return the script that judges a test source."""
    apart = yield from _apart(job, limits, suite)
    if apart is not None and apart.final:
        doubtful = apart.doubtful and apart.verdict.status is Status.ACCEPTED
        return (yield from controlled(job, limits, suite, apart, run_remotely)) if doubtful else apart.verdict
    shared = yield from run_in_process(job, limits, suite)
    verdict = charged(shared.verdict, apart.verdict) if apart else shared.verdict
    if shared.fault is not None:
        return undecided(verdict, shared.fault.cause, shared.fault.reason)
    if verdict.status is Status.ACCEPTED:
        return (yield from controlled(job, limits, suite, shared.of(verdict), run_in_process))
    return charged(apart.verdict, shared.verdict) if apart else verdict


def _apart(job: Job, limits: Limits, suite: TestSource) -> Generator[Order | None, Event, Ran | None]:
    """Judge without expected values in the program's reach; None where the tests need its process."""
    try:
        verdict: JobVerdict = yield from judge_as_calls(job, limits, suite)
        return Ran((), True, verdict, final=verdict.status in _FINAL)
    except NotLowerable:
        reopened = False
    except OpaqueValue:
        reopened = True
    if reopened:
        yield Order({"order": "close"})
    if runs_in_one_process(suite):
        return None
    return (yield from run_remotely(job, limits, suite))
