"""Chooses how a job is judged, and refuses outright what no sandbox needs to see."""

from tracemill.sandbox.base import (
    AssertSuite,
    CallSuite,
    HumanEvalSuite,
    Job,
    JobVerdict,
    Limits,
    PytestSuite,
    Status,
    StdioSuite,
)
from tracemill.sandbox.judging.calls import judge_calls
from tracemill.sandbox.judging.faults import with_fault
from tracemill.sandbox.judging.script import LanguageUnavailable, Script, language_of, refusal
from tracemill.sandbox.judging.stdio import judge_stdio
from tracemill.sandbox.trial import judge_tests

MAX_SOURCE_BYTES = 4 << 20  # its syntax tree takes a few hundred times as much


def test_count(suite: StdioSuite | CallSuite | AssertSuite | HumanEvalSuite | PytestSuite) -> int:
    """Return how many tests a suite has, as far as it says so without being run."""
    if isinstance(suite, StdioSuite):
        count = len(suite.inputs)
    elif isinstance(suite, CallSuite):
        count = len(suite.args)
    else:
        count = len(suite.lines) if isinstance(suite, AssertSuite) else 1
    return count if suite.max_tests is None else min(count, suite.max_tests)


def refused(job: Job) -> JobVerdict | None:
    """Return a verdict on a program that cannot be one: empty, or over 4 MiB."""
    if not job.source.strip():
        return refusal(job, test_count(job.suite), Status.COMPILE_ERROR, "the program is empty")
    if len(job.source) > MAX_SOURCE_BYTES:
        reason = f"the program has {len(job.source)} characters, more than {MAX_SOURCE_BYTES}"
        return refusal(job, test_count(job.suite), Status.COMPILE_ERROR, reason)
    return None


def script_for(job: Job, limits: Limits) -> Script:
    """Return the script that judges `job`; what the sandbox lacks is never the program's failure."""
    verdict = yield from _script(job, limits)
    return with_fault(verdict, language_of(job))


def _script(job: Job, limits: Limits) -> Script:
    suite = job.suite
    if isinstance(suite, StdioSuite):
        return judge_stdio(job, limits, suite)
    if (language := language_of(job)).native:
        raise LanguageUnavailable(f"{language.title}: programs in it are judged by standard input and output only")
    if isinstance(suite, CallSuite):
        return judge_calls(job, limits, suite)
    return judge_tests(job, limits, suite)
