"""A problem's own solution must pass its tests before they judge anyone: a suite that fails it is not believed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tracemill.verify.verifier import Question, Verdict

REFERENCE_FAILS = "reference_fails"
_MARK = "solution of "
_CPP = re.compile(r"^\s*#\s*include\b", re.MULTILINE)


def as_answer(solution: str) -> str:
    """A solution as a response would give it: a fenced block in the language that it is written in."""
    tag = "cpp" if _CPP.search(solution) and not _is_python(solution) else "python"
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", solution)), default=0))
    return f"{fence}{tag}\n{solution}\n{fence}\n"


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@dataclass
class Solutions:
    """Asks for the solution of each problem once, and holds what its tests say of others until it is known.

    The verdicts held are small; a problem's responses stand together in a shard.
    """

    _known: dict[str, str | None] = field(default_factory=dict)  # why the tests are not believed, None while they are
    _held: dict[str, list[Verdict]] = field(default_factory=dict)

    def question_about(self, question: Question) -> Question | None:
        """The question that a problem's own solution asks, at its first response; None afterwards or without one."""
        problem = question.problem_id
        if not (question.reference_solution or "").strip() or problem in self._held or problem in self._known:
            return None
        self._held[problem] = []
        answer = as_answer(question.reference_solution or "")
        return replace(question, generation_id=_MARK + problem, answer=answer)

    def settled(self, verdict: Verdict) -> Iterator[Verdict]:
        """The verdicts that may be given now that this one is known."""
        problem = verdict.problem_id
        if verdict.generation_id == _MARK + problem:
            self._known[problem] = verdict.reason if verdict.status == "fail" else None
            yield from (self._believed(held) for held in self._held.pop(problem))
        elif problem in self._held:
            self._held[problem].append(verdict)
        else:
            yield self._believed(verdict)

    def _believed(self, verdict: Verdict) -> Verdict:
        why = self._known.get(verdict.problem_id)
        if why is None or verdict.status == "unverifiable":
            return verdict
        detail = json.dumps({"why": f"the problem's own solution fails its tests: {why}", "said": verdict.reason})
        return replace(verdict, status="unverifiable", score=0.0, reason=REFERENCE_FAILS, detail=detail)
