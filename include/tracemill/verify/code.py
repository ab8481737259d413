"""Judges a program by its problem's tests, run in the sandbox; the verdict is computed outside of it.

The program is the fenced block that the tests call (`text.fences`). HumanEval rows carry the `prompt` that the answer
continues: the program is then prompt + answer, or prompt + block where the answer is fenced. Score: tests passed of
tests run; a pass needs all of them (DeepDistill, arXiv 2504.17565, section 2.4, scores the first 10: `max_tests: 10`).

How outputs compare is said by the row's `comparison`, by `compare` in its tests, or by its statement, in this order.
Where several answers are right and nobody lists them, a mismatch shows nothing: the response is unverifiable.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, ValidationError

from tracemill.engine.ids import VerdictStatus
from tracemill.engine.resources import Resources
from tracemill.sandbox import languages
from tracemill.sandbox.base import (
    CallSuite,
    Compare,
    Job,
    JobVerdict,
    PytestSuite,
    SandboxSettings,
    Status,
    StdioSuite,
    SuiteError,
    TestSuite,
    suite_from,
)
from tracemill.sandbox.dispatch import MAX_SOURCE_BYTES
from tracemill.sandbox.environment import environment_digest
from tracemill.sandbox.judging.script import LanguageUnavailable
from tracemill.sandbox.languages import Language
from tracemill.sandbox.pool import open_sandbox
from tracemill.text.completion import completed
from tracemill.text.fences import blocks, program
from tracemill.verify.entry_points import tested_names
from tracemill.verify.solutions import Solutions
from tracemill.verify.statements import comparison_in, is_in_place, is_interactive
from tracemill.verify.verifier import Question, Verdict, Verifier

_SHOWS_NOTHING = frozenset({Status.WRONG_ANSWER.value, Status.ACCEPTED.value, "not_run"})
_PYTHON = "python"
MADE_IN = "sandbox"  # in the manifest: how programs were shut in, which differs between workers and decides no verdict
_MACHINE_ONLY = {"python", "workers", "recycle", "warm"}  # how fast, not what verdict


class Exam(NamedTuple):
    """A problem's tests, understood: the suite, the prompt that answers continue, and a language if it names one."""

    suite: TestSuite
    prompt: str | None
    language: str | None


class Asked(NamedTuple):
    """What of a question outlives its run: its problem, and whether its tests can show that a program is wrong."""

    problem_id: str
    several: bool
    interactive: bool = False


class CodeVerifier(Verifier):
    """Runs the program against `test_case` in the sandbox, one process per worker of the machine.
    `max_tests`: so many tests of a problem at most; null runs all.

    Tests that cannot be used as written make a response unverifiable (`bad_tests`), as do none. A response without a
    program fails (`no_code`); otherwise the reason is the judge's word, such as `wrong_answer`.
    """

    kind: Literal["code"] = "code"
    max_tests: Annotated[int, Field(ge=1)] | None = None
    sandbox: SandboxSettings = SandboxSettings()

    version: ClassVar[int] = 5
    needs_sandbox: ClassVar[bool] = True

    def settings(self) -> dict[str, Any]:
        """All but what belongs to the machine: interpreter path, number of workers."""
        return self.model_dump(mode="json", exclude={"sandbox": _MACHINE_ONLY})

    def material(self, resources: Resources) -> Mapping[str, str]:
        """The environment that programs find: interpreter, packages, compilers, or the image."""
        return {"sandbox environment": environment_digest(self.sandbox)}

    def applies(self, question: Question) -> bool:
        """Whether the problem has tests."""
        return bool(question.test_case)

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, as they get ready. Raises SandboxUnavailable or SandboxError."""
        early: deque[Verdict] = deque()
        asked: dict[str, Asked] = {}
        solutions = Solutions()
        jobs = self._jobs(_with_solutions(questions, solutions), asked, early)
        first = next(jobs, None)
        if first is not None:
            settings = self.sandbox.model_copy(update={"workers": resources.workers})
            with open_sandbox(settings) as sandbox:
                resources.made_with[MADE_IN] = sandbox.isolation
                for judged in sandbox.judge(chain([first], jobs)):
                    early.append(_verdict(judged, asked.pop(judged.id), self.name))
                    yield from _settled(early, solutions)
        yield from _settled(early, solutions)

    def _jobs(self, questions: Iterable[Question], asked: dict[str, Asked], early: deque[Verdict]) -> Iterator[Job]:
        """The programs to run. Verdicts that need no run are left in `early`."""
        for question in questions:
            try:
                exam = exam_of(question, self.max_tests)
            except SuiteError as error:
                early.append(_says(question, "unverifiable", "bad_tests", str(error)))
                continue
            if len(question.answer) > MAX_SOURCE_BYTES:
                why = f"the answer has {len(question.answer)} characters, more than {MAX_SOURCE_BYTES}"
                early.append(_says(question, "fail", Status.COMPILE_ERROR.value, why))
                continue
            language = exam.language or _language(question.answer, exam.suite)
            source = _source(question.answer, exam, languages.by_name(language))
            if source is None:
                early.append(_without_code(question, exam.language or _foreign(question.answer), language))
                continue
            told = is_interactive(question.prompt) and isinstance(exam.suite, StdioSuite)
            asked[question.generation_id] = Asked(question.problem_id, exam.suite.compare.several, told)
            yield Job(id=question.generation_id, source=source, suite=exam.suite, language=language)


def exam_of(question: Question, max_tests: int | None) -> Exam:
    """The problem's tests, understood; raises SuiteError when they cannot be used as written."""
    return _exam(question.test_case or "", question.comparison, question.prompt, max_tests)


@lru_cache(maxsize=8)  # tests may have many megabytes
def _exam(test_case: str, comparison: str | None, statement: str, max_tests: int | None) -> Exam:
    case = _json("test_case", test_case)
    extra: Mapping[str, Any] = case if isinstance(case, Mapping) else {}
    prompt = extra.get("prompt")
    language = extra.get("language")
    if not isinstance(language, str | None):
        raise SuiteError(f"the language is {type(language).__name__}, not text")
    suite = suite_from(case, max_tests=max_tests)
    said = _json("comparison", comparison) if comparison else extra.get("comparison") or extra.get("compare")
    hints = {} if isinstance(suite, PytestSuite) else comparison_in(statement)
    if isinstance(suite, CallSuite) and is_in_place(statement):
        hints["several"] = True  # the tests compare what is returned, which is not what is asked for
    suite = suite.model_copy(update={"compare": _compare(said, hints)})
    return Exam(suite, prompt if isinstance(prompt, str) else None, language)


def _json(column: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{column} is not JSON: {error}") from None


def _compare(said: Any, hints: Mapping[str, Any]) -> Compare:
    """The row's own rule, else what the statement says. A rule that knows all answers outweighs "print any"."""
    if said is None:
        return Compare.model_validate(hints)
    if not isinstance(said, Mapping):
        raise SuiteError(f"the comparison is {type(said).__name__}, not an object")
    listed = said.get("name") in ("checker", "any_of") or "several" in said
    inherited = {} if listed else {key: value for key, value in hints.items() if key == "several"}
    try:
        return Compare.model_validate({**inherited, **said})
    except ValidationError as error:
        first = error.errors()[0]
        raise SuiteError(f"the comparison cannot be used: {'.'.join(map(str, first['loc']))} {first['msg']}") from None


def _language(answer: str, suite: TestSuite) -> str:
    """The language of the last block that has one, where programs read standard input; Python outweighs the others."""
    if not isinstance(suite, StdioSuite):
        return _PYTHON
    tags = [block.tag for block in blocks(answer) if languages.by_tag(block.tag)]
    found = [language.name for language in map(languages.by_tag, tags) if language is not None]
    return _PYTHON if _PYTHON in found or not found else found[-1]


def _foreign(answer: str) -> str | None:
    """The language of a block that is a program, but in none that can be judged by these tests."""
    tags = [block.tag for block in blocks(answer)]
    return next((tag for tag in tags if tag in languages.OTHERS or languages.by_tag(tag)), None)


def _without_code(question: Question, foreign: str | None, language: str) -> Verdict:
    if foreign is not None and foreign != _PYTHON:
        why = f"a program in {foreign} cannot be judged by these tests here"
        return _says(question, "unverifiable", LanguageUnavailable.cause, why)
    return _says(question, "fail", "no_code", f"no {language} block in the answer")


def _source(answer: str, exam: Exam, language: Language | None) -> str | None:
    if language is None:
        return None
    tested = () if isinstance(exam.suite, StdioSuite) else tested_names(exam.suite)
    offered = program(answer, tested, language.tags)
    if exam.prompt is None:
        return offered
    if not blocks(answer):
        return exam.prompt + answer if answer.strip() else None
    return None if offered is None else completed(exam.prompt, offered)


def _with_solutions(questions: Iterable[Question], solutions: Solutions) -> Iterator[Question]:
    for question in questions:
        first = solutions.question_about(question)
        if first is not None:
            yield first
        yield question


def _settled(early: deque[Verdict], solutions: Solutions) -> Iterator[Verdict]:
    while early:
        yield from solutions.settled(early.popleft())


def _verdict(judged: JobVerdict, asked: Asked, verifier: str) -> Verdict:
    status, reason = _decision(judged, asked)
    detail = {
        "passed": judged.passed,
        "tested": judged.tested,
        "tests": dict(sorted(Counter(map(str, judged.detail.get("tests", ()))).items())),
        "method": judged.detail.get("method"),
        "trust": judged.detail.get("trust"),
    }
    if "slots_lost" in judged.detail:
        detail["slots_lost"] = judged.detail["slots_lost"]
    if status == "unverifiable":
        detail["why"] = judged.reason
    trust = str(judged.detail["trust"]) if "trust" in judged.detail else None
    return Verdict(judged.id, asked.problem_id, verifier, status, judged.score, reason, json.dumps(detail), trust)


def _decision(judged: JobVerdict, asked: Asked) -> tuple[VerdictStatus, str]:
    """Status and reason. Of several right answers, and of a dialogue, the tests know a part: a fail shows nothing."""
    if judged.status is Status.ACCEPTED:
        return "pass", judged.status.value
    if judged.status is Status.UNVERIFIABLE:
        return "unverifiable", str(judged.detail.get("cause") or judged.status.value)
    if asked.interactive:
        return "unverifiable", "interactive"
    if (
        asked.several
        and judged.status is Status.WRONG_ANSWER
        and _SHOWS_NOTHING.issuperset(judged.detail.get("tests", ()))
    ):
        return "unverifiable", "several_answers"
    return "fail", judged.status.value


def _says(question: Question, status: VerdictStatus, reason: str, detail: str) -> Verdict:
    text = json.dumps({"why": detail}, ensure_ascii=False)
    return Verdict(question.generation_id, question.problem_id, "code", status, 0.0, reason, text)
