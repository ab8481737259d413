"""The sampling policies a teacher can have: how many samples of a problem are asked for, and which of them count.

A policy reads the outcomes of a problem's samples in their order, never in the order in which they came: sample j
counts only if samples 0 to j-1 left the problem undecided. So arrival, workers and restarts change nothing that is
written. To add one: a class here and its name in AnyPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.verify import AnyVerifier

# What a sample was worth: "refused" is none, as the server would not answer; "unverifiable" tells nothing either way.
Outcome = Literal["pass", "fail", "unverifiable", "refused"]


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

    def settings(self) -> dict[str, Any]:
        """The settings that decide which samples count, with those and the version of each verifier."""
        chosen = [{**verifier.settings(), "version": verifier.version} for verifier in self.judged_by]
        return {**self.model_dump(mode="json"), **({"verifiers": chosen} if chosen else {})}


class Fixed(Policy):
    """`samples` traces of every problem, whatever they are worth."""

    kind: Literal["fixed"] = "fixed"

    def most(self, samples: int) -> int:
        """As many as the teacher says."""
        return samples

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Never."""
        return False

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """All at once."""
        return 1 << 30


class Judged(Policy):
    """Base of the policies that stop: `verifiers` judge each sample while others are still generated.

    They run beside the asking, in the task that asks: `math` and `instruction` do, one that runs programs does not.
    `max` is the most samples of a problem. One that none of the verifiers can judge has the teacher's `samples`.
    """

    max: Annotated[int, Field(ge=2)]
    verifiers: Annotated[tuple[AnyVerifier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _verifiers_run_here(self) -> Self:
        for verifier in self.verifiers:
            if verifier.needs_sandbox:
                raise ValueError(
                    f"verifier {verifier.name!r} runs programs, which the task that asks a model must not: name math "
                    "or instruction here, or sample with policy fixed and put a verify step after this one"
                )
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


class UntilPass(Judged):
    """Sample until one trace is verified, at most `max` times (arXiv 2505.14464 does so, and states no cap).

    The sample that passes is the last that counts. Waves double: one sample, one more, two, four, ..., so that eight
    take four rounds; what a wave has too much is closed at the server or kept as paid, and is no row.
    """

    kind: Literal["until_pass"] = "until_pass"

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Once the last of them is verified."""
        return bool(outcomes) and outcomes[-1] == "pass"

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """As many as have failed so far."""
        return max(1, len(outcomes))


AnyPolicy = Annotated[Fixed | UntilPass, Field(discriminator="kind")]
