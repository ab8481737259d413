"""Who gives the verdicts that a sampling policy waits for: this process, or a verify task through the store."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

from tracemill.engine.resources import Resources
from tracemill.verify import AnyVerifier
from tracemill.verify.verifier import Question, Verdict

Verdicts = dict[str, list[Verdict]]  # by the id of their question; none where no verifier could say anything


class Bench(Protocol):
    """Takes questions and gives their verdicts, sooner or later. Questions go by `generation_id`."""

    @property
    def waits(self) -> bool:
        """Whether verdicts are still to come."""
        ...

    def ask(self, questions: Sequence[Question]) -> None:
        """Have these judged; one that was asked before costs nothing."""
        ...

    def made(self) -> Verdicts:
        """The verdicts that were not given before. Raises VerifierError when none will come."""
        ...

    def close(self) -> None:
        """Nothing more will be asked: tidy up what was written for it."""
        ...


class Here:
    """Judges in this process, all at once, whenever the verdicts are asked for; a question is judged once."""

    def __init__(self, verifiers: Sequence[AnyVerifier], resources: Resources) -> None:
        self._verifiers = verifiers
        self._resources = resources
        self._asked: dict[str, Question] = {}
        self._known: Verdicts = {}

    @property
    def waits(self) -> bool:
        """Whether anything was asked since."""
        return bool(self._asked)

    def ask(self, questions: Sequence[Question]) -> None:
        """Judge these when the verdicts are asked for."""
        self._asked |= {question.generation_id: question for question in questions}

    def made(self) -> Verdicts:
        """Judge. Raises VerifierError when a verifier itself fails."""
        new = [question for name, question in self._asked.items() if name not in self._known]
        found: defaultdict[str, list[Verdict]] = defaultdict(list)
        for verifier in self._verifiers if new else ():
            for verdict in verifier.judge(filter(verifier.applies, new), self._resources):
                found[verdict.generation_id].append(verdict)
        self._known |= {question.generation_id: found[question.generation_id] for question in new}
        given = {name: self._known[name] for name in self._asked}
        self._asked = {}
        return given

    def close(self) -> None:
        """Forget the verdicts; nothing was written."""
        self._known = {}


def fields_digest(problem: Mapping[str, str | None]) -> str:
    """What a problem's verdicts depend on, in short."""
    return hashlib.sha256(repr(sorted(problem.items())).encode("utf-8", "surrogatepass")).hexdigest()


def question_id(problem: str, answer: str) -> str:
    """The name of a question by its content: `problem` is a `fields_digest`. Equal answers are judged once."""
    return hashlib.sha256(f"{problem}\n{answer}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
