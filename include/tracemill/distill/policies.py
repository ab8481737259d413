"""The sampling policies a teacher can have: how many samples of a problem are asked for, and which of them count.

A policy reads the outcomes of a problem's samples in their order, never in the order in which they came: sample j
counts only if samples 0 to j-1 left the problem undecided. So arrival, workers and restarts change nothing that is
written. To add one: a class here and its name in AnyPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tracemill.verify import AnyVerifier

# What a sample was worth: "refused" is none, as the server would not answer; "unverifiable" tells nothing either way.
Outcome = Literal["pass", "fail", "unverifiable", "refused"]


class Policy(BaseModel):
    """Base of every policy. One without `verifiers` needs no outcomes: all its samples go out at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    verifiers: ClassVar[tuple[AnyVerifier, ...]] = ()

    def most(self, samples: int) -> int:
        """The most samples of one problem, where the teacher's own number is `samples`."""
        raise NotImplementedError  # abstract

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether these outcomes of samples 0, 1, ... decide the problem, so that no later sample counts."""
        raise NotImplementedError  # abstract

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """How many samples go out after these outcomes, which do not decide the problem."""
        raise NotImplementedError  # abstract


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


AnyPolicy = Annotated[Fixed, Field(discriminator="kind")]
