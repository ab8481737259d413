"""Asks of a problem, before any teacher is paid, whether a right response could be told from a wrong one.

A probe is a question to the problem's own verifier, with an answer made from the reference: it must pass. Where tests
come without a solution, a program that has every name and can do nothing shows whether they run at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tracemill.engine.resources import Resources
from tracemill.sandbox.base import PytestSuite, SuiteError
from tracemill.sandbox.control.plan import falsified
from tracemill.sandbox.judging.testfiles import runs_in_one_process
from tracemill.verify.code import CodeVerifier, exam_of
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.solutions import REFERENCE_FAILS, as_answer
from tracemill.verify.verifier import Question, Verdict, Verifier

SEVERAL = "several_answers"
UNREADABLE = "unreadable_reference"
# What the tests themselves lack, whatever the program; any other end of a stub is its own.
_OF_THE_TESTS = frozenset(("missing_module", "broken_tests", "skipped", "no_tests", "bad_tests", "no_expectation"))
_STUB = (
    "class _Nothing:\n    def __call__(self, *args, **kwargs):\n        raise RuntimeError('a stub')\n\n"
    "def __getattr__(name):\n    if name.startswith('__'):\n        raise AttributeError(name)\n    return _Nothing()\n"
)


@dataclass(frozen=True)
class Finding:
    """What was found about one problem: `reason` None where it can be verified, else one word."""

    problem_id: str
    verifier: str
    reason: str | None
    detail: str = ""


def findings(verifier: Verifier, questions: Iterable[Question], resources: Resources) -> Iterator[Finding]:
    """One finding per problem, in any order. Raises when the verifier itself fails, never for a problem.

    `questions` carry the problem's id as the response's, and an empty answer.
    """
    if isinstance(verifier, CodeVerifier):
        yield from _of_tests(verifier, questions, resources)
    elif isinstance(verifier, MathVerifier):
        probes = (replace(q, answer=f"\\boxed{{{q.reference_answer}}}") for q in questions)
        for verdict in verifier.judge(probes, resources):
            unreadable = verdict.status != "pass"
            yield Finding(verdict.problem_id, verifier.name, UNREADABLE if unreadable else None, verdict.detail)
    else:
        yield from (Finding(question.problem_id, verifier.name, None) for question in questions)


def _of_tests(verifier: CodeVerifier, questions: Iterable[Question], resources: Resources) -> Iterator[Finding]:
    at_once: list[Finding] = []
    has_solution: dict[str, bool] = {}

    def probes() -> Iterator[Question]:
        for question in questions:
            reason = _without_a_run(verifier, question)
            if reason is not None:
                at_once.append(Finding(question.problem_id, verifier.name, *reason))
                continue
            solution = question.reference_solution
            has_solution[question.problem_id] = bool(solution)
            answer = as_answer(solution or _STUB)
            yield replace(question, answer=answer, reference_solution=None)

    for verdict in verifier.judge(probes(), resources):
        reason = _of_solution(verdict) if has_solution.pop(verdict.problem_id) else _of_stub(verdict)
        yield Finding(verdict.problem_id, verifier.name, reason, verdict.detail if reason else "")
    yield from at_once


def _without_a_run(verifier: CodeVerifier, question: Question) -> tuple[str | None, str] | None:
    """What the tests say as they stand; None where they must be run."""
    try:
        exam = exam_of(question, verifier.max_tests)
    except SuiteError as error:
        return "bad_tests", str(error)
    if exam.suite.compare.several:
        return SEVERAL, "several answers are right, and nothing lists or checks them"
    if not isinstance(exam.suite, PytestSuite):
        return None if question.reference_solution else (None, "")
    if runs_in_one_process(exam.suite) and not falsified(exam.suite):
        return "no_expectation", "tests and program share a process, and no expected value can be changed"
    return None


def _of_solution(verdict: Verdict) -> str | None:
    if verdict.status == "pass":
        return None
    return REFERENCE_FAILS if verdict.status == "fail" else verdict.reason


def _of_stub(verdict: Verdict) -> str | None:
    return verdict.reason if verdict.status == "unverifiable" and verdict.reason in _OF_THE_TESTS else None
