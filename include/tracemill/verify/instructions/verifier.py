"""Judges whether a response follows the checkable instructions of its prompt (IFEval, arXiv 2311.07911)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from tracemill.engine.ids import VerdictStatus
from tracemill.engine.resources import Resources
from tracemill.verify.instructions.ifeval import CHECKS, LISTS, Arguments, followed, followed_loosely
from tracemill.verify.verifier import Question, Verdict, Verifier


class InstructionVerifier(Verifier):
    """Runs the checks that `constraints` names: {"instruction_id_list": [...], "kwargs": [{...}, ...]}.

    Score: the share of instructions that are followed (DeepDistill, arXiv 2504.17565, section 2.4); a pass needs all.
    One that is broken is a fail; else one that cannot be told makes the response unverifiable, as do constraints that
    cannot be read (`bad_constraints`). A blank response follows nothing. `loose` forgives a first or last line and
    stars, as the paper's second figure does; the data sets are graded strictly (AM-Thinking, arXiv 2505.08311).
    """

    kind: Literal["instruction"] = "instruction"
    loose: bool = False

    version: ClassVar[int] = 3

    def applies(self, question: Question) -> bool:
        """Whether the problem carries constraints."""
        return bool(question.constraints)

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, in order. Never raises for a response or for constraints."""
        check = followed_loosely if self.loose else followed
        for question in questions:
            try:
                instructions = _instructions(question.constraints or "")
                found = [(name, check(name, question.answer, arguments)) for name, arguments in instructions]
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                why = f"{type(error).__name__}: {error}"
                yield _says(question, "unverifiable", 0.0, "bad_constraints", why)
                continue
            yield _verdict(question, found)


def _instructions(constraints: str) -> list[tuple[str, Arguments]]:
    """The instructions with their arguments, nulls and what is no argument left out.

    Raises KeyError or ValueError for what is not IFEval's.
    """
    given = json.loads(constraints)
    names = given["instruction_id_list"]
    arguments = given["kwargs"]
    unknown = [name for name in names if name not in CHECKS]
    if unknown or not names:
        raise ValueError(f"no such instruction: {unknown[0]!r}" if unknown else "there are no instructions")
    return [
        (name, {key: value for key, value in each.items() if _is_argument(key, value)})
        for name, each in zip(names, arguments, strict=True)
    ]


def _is_argument(key: str, value: object) -> bool:
    """Whether a value asks for anything: a blank stands in every response, and so does each of no words."""
    if key not in LISTS:
        return value is not None and value != [] and not (isinstance(value, str) and not value.strip())
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one.strip() for one in value)


def _verdict(question: Question, found: list[tuple[str, bool | None]]) -> Verdict:
    outcomes = [followed for _, followed in found]
    score = outcomes.count(True) / len(outcomes)
    if False in outcomes:
        return _says(question, "fail", score, "instruction_not_followed", found)
    if None in outcomes:
        return _says(question, "unverifiable", score, "cannot_tell", found)
    return _says(question, "pass", score, "all_followed", found)


def _says(question: Question, status: VerdictStatus, score: float, reason: str, detail: object) -> Verdict:
    text = json.dumps(detail, ensure_ascii=False)
    return Verdict(question.generation_id, question.problem_id, "instruction", status, score, reason, text)
