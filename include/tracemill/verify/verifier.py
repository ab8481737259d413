"""What a verifier is: it says pass, fail or unverifiable for a response, with a score and the reason.

"unverifiable" means that nothing was shown either way (no parsable gold, a test that cannot run): never "wrong".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tracemill.engine.ids import VerdictStatus
from tracemill.engine.resources import Resources


@dataclass(frozen=True)
class Question:
    """One response to judge. `test_case` is the problem's JSON text; `answer` what the response says after thinking.

    `reference_solution` is the source's own solution as code, `comparison` JSON that says when an output is right
    (`sandbox.comparators.Compare`).
    """

    generation_id: str
    problem_id: str
    prompt: str
    reference_answer: str | None
    test_case: str | None
    constraints: str | None
    answer: str
    reference_solution: str | None = None
    comparison: str | None = None


@dataclass(frozen=True)
class Verdict:
    """A judgement of one response: score in [0, 1], a word of reason, and free detail (JSON or text) for people.

    `trust` says whether a program could have influenced the verdict ("high" or "low"); None where it means nothing.
    `overrules` names the verifiers that a pass of this one sets aside: only a judge has that right, by its recipe.
    """

    generation_id: str
    problem_id: str
    verifier: str
    status: VerdictStatus
    score: float
    reason: str
    detail: str = ""
    trust: str | None = None
    overrules: tuple[str, ...] | None = None


class Verifier(BaseModel):
    """Base of every verifier: frozen settings with a `kind`, and a `name` that goes into the verdict table."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: ClassVar[int]
    needs_sandbox: ClassVar[bool] = False  # it runs programs

    @property
    def name(self) -> str:
        """How verdict tables call this verifier."""
        return str(getattr(self, "kind", type(self).__name__))

    def settings(self) -> dict[str, Any]:
        """The settings that decide verdicts, as JSON-like data; what only says where and how fast is left out."""
        return self.model_dump(mode="json")

    def material(self, resources: Resources) -> Mapping[str, str]:
        """Digests of what verdicts depend on besides the settings: the environment that programs run in."""
        return {}

    def applies(self, question: Question) -> bool:
        """Whether this verifier can say anything about such a problem (it has a reference, tests, ...)."""
        raise NotImplementedError  # abstract

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, in any order. Raises when the verifier itself fails, never for a response."""
        raise NotImplementedError  # abstract
