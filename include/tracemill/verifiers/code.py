"""Judges a program by its problem's tests, run in the sandbox; the verdict is computed outside of it.

The program is the fenced block that the tests call (`text.fences`). HumanEval rows carry the `prompt` that the answer
continues: the program is then prompt + answer, or prompt + block where the answer is fenced. Score: tests passed of
tests run; a pass needs all of them (DeepDistill, arXiv 2504.17565, section 2.4, scores the first 10: `max_tests: 10`).
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from tracemill.records import VerdictStatus
from tracemill.resources import Resources
from tracemill.sandbox.base import (
    Job,
    JobVerdict,
    SandboxSettings,
    Status,
    StdioSuite,
    SuiteError,
    TestSuite,
    suite_from,
)
from tracemill.sandbox.judging import MAX_SOURCE_BYTES
from tracemill.text.fences import TAGS, Language, blocks, program
from tracemill.verifiers.base import Question, Verdict, Verifier
from tracemill.verifiers.entry_points import tested_names

_STATUSES: dict[Status, VerdictStatus] = {Status.ACCEPTED: "pass", Status.UNVERIFIABLE: "unverifiable"}
_MACHINE_ONLY = {"python", "workers", "recycle", "warm"}  # how fast, not what verdict


class Exam(NamedTuple):
    """A problem's tests, understood: the suite, the prompt that answers continue, and a language if it names one."""

    suite: TestSuite
    prompt: str | None
    language: Language | None


class CodeVerifier(Verifier):
    """Runs the program against `test_case` in the sandbox, one process per worker of the machine.

    Tests that cannot be used as written make a response unverifiable (`bad_tests`), as do none. A response without a
    program fails (`no_code`); otherwise the reason is the judge's word, such as `wrong_answer`.
    """

    kind: Literal["code"] = "code"
    max_tests: Annotated[int, Field(ge=1)] | None = None
    sandbox: SandboxSettings = SandboxSettings()

    version: ClassVar[int] = 1

    def settings(self) -> dict[str, Any]:
        """All but what belongs to the machine: interpreter path, number of workers."""
        return self.model_dump(mode="json", exclude={"sandbox": _MACHINE_ONLY})

    def applies(self, question: Question) -> bool:
        """Whether the problem has tests."""
        return bool(question.test_case)

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, as they get ready. Raises SandboxUnavailable or SandboxError."""
        early: deque[Verdict] = deque()
        problems: dict[str, str] = {}
        jobs = self._jobs(questions, problems, early)
        first = next(jobs, None)
        if first is not None:
            settings = self.sandbox.model_copy(update={"workers": resources.workers})
            with settings.open() as sandbox:
                for judged in sandbox.judge(chain([first], jobs)):
                    yield from _drained(early)
                    yield _verdict(judged, problems.pop(judged.id), self.name)
        yield from _drained(early)

    def _jobs(self, questions: Iterable[Question], problems: dict[str, str], early: deque[Verdict]) -> Iterator[Job]:
        """The programs to run. Verdicts that need no run are left in `early`."""
        for question in questions:
            try:
                exam = _exam(question.test_case or "", self.max_tests)
            except SuiteError as error:
                early.append(_says(question, "unverifiable", "bad_tests", str(error)))
                continue
            if len(question.answer) > MAX_SOURCE_BYTES:
                why = f"the answer has {len(question.answer)} characters, more than {MAX_SOURCE_BYTES}"
                early.append(_says(question, "fail", Status.COMPILE_ERROR.value, why))
                continue
            language = exam.language or _language(question.answer, exam.suite)
            source = _source(question.answer, exam, language)
            if source is None:
                early.append(_says(question, "fail", "no_code", f"no {language} block in the answer"))
                continue
            problems[question.generation_id] = question.problem_id
            yield Job(id=question.generation_id, source=source, suite=exam.suite, language=language)


@lru_cache(maxsize=64)
def _exam(test_case: str, max_tests: int | None) -> Exam:
    try:
        case = json.loads(test_case)
    except ValueError as error:
        raise SuiteError(f"test_case is not JSON: {error}") from None
    extra: Mapping[str, Any] = case if isinstance(case, Mapping) else {}
    prompt, language = extra.get("prompt"), extra.get("language")
    if language not in (None, *TAGS):
        raise SuiteError(f"the language {language!r} is not supported; there are: {', '.join(TAGS)}")
    return Exam(suite_from(case, max_tests=max_tests), prompt if isinstance(prompt, str) else None, language)


def _language(answer: str, suite: TestSuite) -> Language:
    """C++ where only a C++ block answers a problem of standard input and output, else Python."""
    tags = {block.tag for block in blocks(answer)} if isinstance(suite, StdioSuite) else set()
    return "cpp" if tags & TAGS["cpp"] and not tags & TAGS["python"] else "python"


def _source(answer: str, exam: Exam, language: Language) -> str | None:
    if exam.prompt is None:
        return program(answer, tested_names(exam.suite), language)
    if not blocks(answer):
        return exam.prompt + answer if answer.strip() else None
    offered = program(answer, tested_names(exam.suite), language)
    return None if offered is None else f"{exam.prompt}\n{offered}"


def _drained(early: deque[Verdict]) -> Iterator[Verdict]:
    while early:
        yield early.popleft()


def _verdict(judged: JobVerdict, problem_id: str, verifier: str) -> Verdict:
    status = _STATUSES.get(judged.status, "fail")
    detail = {
        "passed": judged.passed,
        "tested": judged.tested,
        "tests": dict(sorted(Counter(map(str, judged.detail.get("tests", ()))).items())),
        "method": judged.detail.get("method"),
        "trust": judged.detail.get("trust"),
        "isolation": judged.isolation,
    }
    if "slots_lost" in judged.detail:
        detail["slots_lost"] = judged.detail["slots_lost"]
    if status == "unverifiable":
        detail["why"] = judged.reason
    reason = str(judged.detail.get("cause") or judged.status.value)
    trust = str(judged.detail["trust"]) if "trust" in judged.detail else None
    return Verdict(judged.id, problem_id, verifier, status, judged.score, reason, json.dumps(detail), trust)


def _says(question: Question, status: VerdictStatus, reason: str, detail: str) -> Verdict:
    text = json.dumps({"why": detail}, ensure_ascii=False)
    return Verdict(question.generation_id, question.problem_id, "code", status, 0.0, reason, text)
