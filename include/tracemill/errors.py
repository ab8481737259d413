"""What can go wrong, split by who must act: the world (retry), the user's recipe or data (fix it), the house (a bug).

A row that is bad is never an exception here: it becomes a row in the ledger. See docs/design/failures.md.
"""

from __future__ import annotations

from collections.abc import Sequence


class TracemillError(Exception):
    """Base of every error tracemill raises on purpose; its text names the place and the remedy."""


class RecipeError(TracemillError):
    """The recipe cannot be run as written. Retrying will not help."""


class SourceError(TracemillError):
    """A source as a whole cannot be used: missing file, empty, or a schema that is not the documented one."""


class StoreError(TracemillError):
    """The store could not be read or written just now (permissions, network, full disk). Retrying may help."""


class CorruptShard(TracemillError):
    """Something is stored under a shard's name, but it is not what its manifest promises."""


class ConservationError(TracemillError):
    """A step lost, doubled or invented rows. This is a bug in the step; the shard was not sealed."""


class MissingInput(TracemillError):
    """A step was asked to run before the shards it reads were sealed."""


class VerifierError(TracemillError):
    """A verifier itself cannot work (no worker starts); says nothing about any response. Retrying may help."""


class VerdictsGone(VerifierError):
    """No task gives the verdicts that this one waits for, for as long as it may wait in a worker (Resources.away)."""


class ServingError(TracemillError):
    """A model server does not come up, died, or cannot be reached. Retrying may help."""


class TrainingError(TracemillError):
    """A training ended without a reason of its own (killed, out of memory). Retrying goes on from its checkpoint."""


class AnswersPending(TracemillError):
    """Answers were asked for in batches that still work. Whoever waits without holding a worker waits for `records`."""

    def __init__(self, model: str, records: Sequence[str]) -> None:
        super().__init__(f"model {model!r}: {len(records)} batches are at work; run again later to collect them")
        self.model = model
        self.records = tuple(records)


class AnswersUnknown(TracemillError):
    """Nothing may be asked, and the sample store does not know these answers: somebody has to ask a server."""

    def __init__(self, model: str, answers: int) -> None:
        super().__init__(f"model {model!r}: {answers} answers are not known, and nothing may be asked here")


class LimitSpent(RecipeError):
    """As much money is spent as may be: nothing more is asked, and what was answered is kept.

    Whoever waits without holding a worker waits for a higher `limit`: that of one model (`model`), or the run's.
    """

    def __init__(self, text: str, limit: float, model: str = "") -> None:
        super().__init__(text)
        self.limit = limit
        self.model = model


class ServerGone(ServingError):
    """The server left and none came in its place for as long as this task may wait in a worker (Resources.away)."""
