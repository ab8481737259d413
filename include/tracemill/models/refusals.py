"""Notices that a server refuses everything for one reason: then it is the recipe that is wrong, and not every row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tracemill.errors import RecipeError
from tracemill.models.api import Api
from tracemill.models.remedies import remedy
from tracemill.models.request import Answer, Refusal
from tracemill.models.wire import ServerFault

ENOUGH = 5  # equal refusals, before anything was answered, after which nothing more is asked
_SURE = 4  # tries of one request, some two seconds, before an address is no model server's
_PARTICULAR = re.compile(r"[0-9a-f]{8,}|\d+|'[^']*'|\"[^\"]*\"")  # numbers, ids and quotations differ from row to row
_MEASURED = {"poison", "unmeasured"}  # were told from a fault of the server already


@dataclass
class EqualRefusals:
    """The refusals of one stretch of asking of `of` requests; `answered` counts what was answered so far.

    Equal ones are counted as long as nothing is answered between them.
    """

    model: str
    of: int
    answered: Callable[[], int]
    api: Api | None = None
    _seen: Counter[str] = field(default_factory=Counter)
    _answered: int = 0
    _enough: int = ENOUGH
    _last: Refusal | None = None

    def note(self, refusal: Refusal) -> bool:
        """Note one refusal; whether it is time to ask for a `probe`, as so many alike may be no row's affair.

        Raises RecipeError when all are alike and nothing was answered. One refusal alone tells nothing, and prompts
        that are too long or filtered may well come one after the other: there, and once anything was answered, only
        the probe can tell.
        """
        if refusal.reason in _MEASURED:
            return False
        now = self.answered()
        if now != self._answered:
            self._seen.clear()
            self._answered = now
        self._last = refusal
        alike = _alike(refusal)
        self._seen[alike] += 1
        if self._seen[alike] < min(self._enough, max(2, self.of)):
            return False
        if not now and refusal.reason == "refused":
            raise self._error(refusal)
        return True

    @property
    def unsure(self) -> Refusal | None:
        """The refusal with which the asking ended after answers: what ended them may have come just then."""
        is_last = self._answered > 0 and self._answered == self.answered()
        return self._last if is_last and self._last and self._last.reason == "refused" else None

    def judge(self, refusal: Refusal, probe: Answer) -> None:
        """Raise RecipeError when a prompt that nobody can mind was refused alike; else wait for twice as many."""
        if isinstance(probe, Refusal) and _alike(probe) == _alike(refusal):
            raise self._error(refusal)
        self._enough *= 2

    def _error(self, refusal: Refusal) -> RecipeError:
        what = remedy(refusal.detail, self.api) or (
            "Correct the recipe (sampling, teacher or model) or the server's settings."
        )
        return RecipeError(
            f"model {self.model!r}: the server refuses every request for the same reason: {refusal.detail} "
            f"{what} Nothing was sealed"
        )


def _alike(refusal: Refusal) -> str:
    return f"{refusal.reason} {_PARTICULAR.sub('#', refusal.detail)}"


def require_model_server(model: str, url: str, fault: ServerFault, times: int, tries: int) -> None:
    """Raise RecipeError when an address never said anything that a model server says.

    `times`: how often it said such things to anybody, `tries`: how often one request was tried.
    """
    if fault.foreign and times >= ENOUGH and tries >= _SURE:
        raise RecipeError(
            f"model {model!r}: what answers at {url} is no model server: {str(fault)[:300]} Correct the address "
            "(the API's base URL, without /chat/completions), or log in to what stands before it"
        )
