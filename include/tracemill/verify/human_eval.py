"""Judges a HumanEval completion as its authors do: prompt, completion, tests and `check(...)` as one program.

The program can see its tests here, so a cheat can pass: this verifier is the yardstick that `tracemill agreement` holds
the code verifier against, for a source that publishes no verdicts. It never lets a response pass that `code` fails.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from tracemill.engine.resources import Resources
from tracemill.sandbox.base import Job, StdioSuite
from tracemill.verify.code import Asked, CodeVerifier
from tracemill.verify.verifier import Question, Verdict

_PASSED = "every assertion held"
_QUIET = "import io, sys\n_out, sys.stdout = sys.stdout, io.StringIO()\n"


class DirectVerifier(CodeVerifier):
    """Passes when prompt + completion + newline + test + newline + check(entry_point) runs to its end with exit code 0.

    (openai/human-eval, execution.py; the samples are those of microsoft/CodeT.) What the program prints is ignored.
    """

    kind: Literal["direct"] = "direct"  # type: ignore[assignment]

    version: ClassVar[int] = 2
    needs_sandbox: ClassVar[bool] = True

    def applies(self, question: Question) -> bool:
        """Whether the tests are HumanEval's own: a prompt, a `check` function and an entry point."""
        return _case(question) is not None

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict a question. The source's own solution is not asked first: this is a yardstick."""
        return super().judge((replace(question, reference_solution=None) for question in questions), resources)

    def _jobs(self, questions: Iterable[Question], asked: dict[str, Asked], early: deque[Verdict]) -> Iterator[Job]:
        suite = StdioSuite(inputs=("",), outputs=(_PASSED,))
        for question in questions:
            case = _case(question)
            if case is not None:
                asked[question.generation_id] = Asked(question.problem_id, several=False)
                yield Job(id=question.generation_id, source=_program(question.answer, *case), suite=suite)


def _case(question: Question) -> tuple[str, str, str] | None:
    try:
        case = json.loads(question.test_case or "null")
    except ValueError:
        return None
    if not isinstance(case, dict):
        return None
    prompt, test, entry_point = (case.get(key) for key in ("prompt", "test", "entry_point"))
    if isinstance(prompt, str) and isinstance(test, str) and isinstance(entry_point, str):
        return prompt, test, entry_point
    return None


def _program(answer: str, prompt: str, test: str, entry_point: str) -> str:
    return f"{_QUIET}{prompt}{answer}\n{test}\ncheck({entry_point})\n\nprint({_PASSED!r}, file=_out)\n"
