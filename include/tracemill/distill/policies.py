"""The sampling policies a teacher can have. To add one: a class here, or an import, and its name in AnyPolicy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from tracemill.distill.policy import Judged, Outcome, Policy
from tracemill.distill.until_decided import UntilDecided


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


AnyPolicy = Annotated[Fixed | UntilDecided | UntilPass, Field(discriminator="kind")]
