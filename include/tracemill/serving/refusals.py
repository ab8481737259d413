"""Notices that a server refuses everything for one reason: then it is the recipe that is wrong, and not every row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tracemill.errors import RecipeError
from tracemill.serving.asks import Refusal

ENOUGH = 5  # equal refusals, before anything was answered, after which nothing more is asked
_PARTICULAR = re.compile(r"[0-9a-f]{8,}|\d+|'[^']*'|\"[^\"]*\"")  # numbers, ids and quotations differ from row to row


@dataclass
class EqualRefusals:
    """The refusals of one stretch of asking of `of` requests; `answered` counts what was answered so far."""

    model: str
    of: int
    answered: Callable[[], int]
    _seen: Counter[str] = field(default_factory=Counter)

    def note(self, refusal: Refusal) -> None:
        """Note one refusal. Raises RecipeError when all are alike and nothing was answered; nothing is sealed then.

        A prompt that is too long is its row's own affair, however many there are. One refusal alone tells nothing.
        """
        if refusal.reason != "refused" or self.answered():
            return
        self._seen[_PARTICULAR.sub("#", refusal.detail)] += 1
        most = self._seen.most_common(1)[0][1]
        if most >= min(ENOUGH, max(2, self.of)):
            raise RecipeError(
                f"model {self.model!r}: the server refuses every request for the same reason: {refusal.detail} "
                "Correct the recipe (sampling, teacher or model) or the server's settings; nothing was sealed"
            )
