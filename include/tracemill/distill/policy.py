"""What a sampling policy is: how many samples of a problem are asked for, and which of them count.

A policy reads the outcomes of a problem's samples in their order, never in the order in which they came: sample j
counts only if samples 0 to j-1 left the problem undecided. So arrival, workers and restarts change nothing that is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.verify import AnyVerifier

# What a sample was worth: "refused" is none, as the server would not answer; "unverifiable" tells nothing either way.
Outcome = Literal["pass", "fail", "unverifiable", "refused"]


class Rule(Protocol):
    """Which samples of one problem are asked for and count."""

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether these outcomes of samples 0, 1, ... decide the problem, so that no later sample counts."""
        ...

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """How many samples go out after these outcomes, which do not decide the problem."""
        ...


class Ruling(Protocol):
    """The rules of a shard's problems."""

    def rule(self, category: str | None, difficulty: str | None, mode: str | None) -> Rule:
        """The rule of a problem like that."""
        ...

    def digest(self) -> dict[str, Any]:
        """What belongs into the fingerprint besides the settings."""
        ...

    def expected(self) -> dict[str, Any]:
        """What is expected of a problem, for the manifest."""
        ...


@dataclass(frozen=True)
class Alike:
    """One rule for all problems."""

    one: Rule

    def rule(self, category: str | None, difficulty: str | None, mode: str | None) -> Rule:
        """That one."""
        return self.one

    def digest(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def expected(self) -> dict[str, Any]:
        """Nothing that is known before."""
        return {}


class Policy(BaseModel):
    """Base of every policy. One that `judged_by` no verifier needs no outcomes: all its samples go out at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def judged_by(self) -> tuple[AnyVerifier, ...]:
        """The verifiers that say what a sample is worth."""
        return ()

    def most(self, samples: int) -> int:
        """The most samples of one problem, where the teacher's own number is `samples`."""
        raise NotImplementedError  # abstract

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether these outcomes of samples 0, 1, ... decide the problem, so that no later sample counts."""
        raise NotImplementedError  # abstract

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """How many samples go out after these outcomes, which do not decide the problem."""
        raise NotImplementedError  # abstract

    def ruling(self, priors: pa.Table, teacher: str, modes: Sequence[str | None]) -> Ruling:
        """The rules of problems that `teacher` is asked in these modes; `priors` is the table of that name."""
        return Alike(self)

    @property
    def needs_pilot(self) -> bool:
        """Whether the rules stand on what a pilot found."""
        return False

    def settings(self) -> dict[str, Any]:
        """The settings that decide which samples count, with those and the version of each verifier."""
        chosen = [{**verifier.settings(), "version": verifier.version} for verifier in self.judged_by]
        return {**self.model_dump(mode="json"), **({"verifiers": chosen} if chosen else {})}


class Judged(Policy):
    """Base of the policies that stop: `verifiers` judge each sample while others are still generated.

    Under Airflow a verify task runs them, on the queue that they need; `tracemill run` runs them beside the asking.
    `max` is the most samples of a problem. One that none of the verifiers can judge has the teacher's `samples`.
    """

    max: Annotated[int, Field(ge=2)]
    verifiers: Annotated[tuple[AnyVerifier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({verifier.name for verifier in self.verifiers}) < len(self.verifiers):
            raise ValueError("a verifier is named twice: name each once, with its settings")
        return self

    @property
    def judged_by(self) -> tuple[AnyVerifier, ...]:
        """As the recipe says."""
        return self.verifiers

    def most(self, samples: int) -> int:
        """The cap."""
        return self.max
