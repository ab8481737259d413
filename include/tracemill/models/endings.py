"""Knows whether a server says how its answers end, and so what an answer that does not say it is.

Where others of the same server named a finish reason, an answer with neither a reason nor a count of tokens is the
first half of one: the connection behind it broke, and what stands before the server closed the stream in order. Where
none ever came, no answer of that server can be told from its first half: nothing of it could be released, so it is not
worth another request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from tracemill.errors import RecipeError
from tracemill.models.finish import UNKNOWN, is_known
from tracemill.models.request import Packed, Reply, Unended
from tracemill.models.wire import ServerFault

ENOUGH = 5  # first answers of a server that all do not say how they end, after which nothing more is asked


@dataclass
class Endings:
    """How the servers of one model end their answers, by address."""

    model: str
    named: set[str] = field(default_factory=set)
    _nameless: Counter[str] = field(default_factory=Counter)
    _last: str = UNKNOWN

    def seen(self, url: str, reply: Reply) -> Reply:
        """The reply, as Unended where nobody knows yet whether its server ever ends one.

        Raises ServerFault for half an answer of a server that is known to say how its answers end.
        """
        if reply.values:  # numbers were asked for, and they are there or not
            return reply
        if is_known(reply.finish_reason):
            self.named.add(url)
            return reply
        is_bare = reply.finish_reason == UNKNOWN and reply.prompt_tokens is None and reply.completion_tokens is None
        if is_bare and url in self.named:
            raise ServerFault(f"half an answer of {url}: no finish reason and no usage came with it", alive=True)
        self._nameless[url] += 1
        self._last = str(reply.finish_reason)
        return Unended(**asdict(reply), endpoint=url) if is_bare else reply

    def require(self, of: int) -> None:
        """Raise RecipeError when the first answers of a server all do not say how they end. `of`: requests in all."""
        for url, count in self._nameless.items():
            if url not in self.named and count >= _enough(of):
                raise _error(self.model, count, self._last, f"of the server at {url}")


def require_named(model: str, answers: Iterable[object], of: int) -> None:
    """Raise RecipeError when answers that were paid before all do not say how they end: more would be like them."""
    count = 0
    last = UNKNOWN
    for answer in answers:
        if isinstance(answer, Packed) and not answer.rest.values:
            if is_known(answer.rest.finish_reason):
                return
            count += 1
            last = str(answer.rest.finish_reason)
    if count >= _enough(of):
        raise _error(model, count, last, "that are on the store")


def _enough(of: int) -> int:
    return min(ENOUGH, max(2, of))


def _error(model: str, count: int, last: str, which: str) -> RecipeError:
    how = "with no finish reason at all" if last == UNKNOWN else f"for a reason that nobody knows ({last!r})"
    return RecipeError(
        f"model {model!r}: the first {count} answers {which} ended {how}, so that none can be told from a broken one "
        "and none would be released. Nothing was sealed, and what was answered is kept. Ask the model at an address "
        "that names finish_reason (the provider's own, vLLM, or a current proxy); once this one does, "
        "`tracemill retry --reason unknown ROOT` has these answers asked for again"
    )
