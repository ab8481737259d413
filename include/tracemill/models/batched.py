"""Has a shard's asks answered in batches: submits, waits or leaves, stores what came, until nothing is left to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.batches import Batches, suits
from tracemill.models.budget import Budget
from tracemill.models.model import Model
from tracemill.models.purse import Purse
from tracemill.models.refusals import EqualRefusals
from tracemill.models.rendering import tell
from tracemill.models.request import Ask, Refusal, Reply, Spent
from tracemill.models.samples import SampleStore


class Asking(Protocol):
    """Who asks: one model as a shard sees it, with what was spent on it; a Feed is one."""

    model: Model
    store: ObjectStore
    resources: Resources
    near: str
    spent: Spent


def ask_in_batches(feed: Asking, samples: SampleStore, asks: Mapping[str, Ask]) -> dict[str, Refusal]:
    """The refusals among these asks; the replies lie in `samples` when this returns. What a batch cannot ask is left.

    Raises AnswersPending under a scheduler while batches work, RecipeError when the provider refuses everything, when
    it refuses the batch itself, LimitSpent when no money is left.
    """
    batches = Batches(feed.model, feed.store, feed.resources, feed.near)
    purse = Purse(feed.store, feed.model.name, batches.api)
    budget = batches.budget = Budget(feed.store, feed.resources.cost)
    left = {key: ask for key, ask in asks.items() if suits(ask)}
    refused = {key: refusal for key, refusal in batches.known().items() if key in left}
    paid = 0
    if left:
        tell(feed.model.name, "the prompt as the model gets it cannot be known: a batch API does not show it")

    def keep(mark: str, replies: Mapping[str, Reply]) -> None:
        nonlocal paid
        own = Purse(feed.store, feed.model.name, batches.api, _id=mark)  # so who collects it again pays nothing again
        for key, reply in replies.items():
            feed.spent.pay(reply)
            size = (asks[key].size if key in asks else 0, len(reply.text.encode()))
            own.pay(reply.prompt_tokens, reply.completion_tokens, 0.0, size)
        own.write()
        if replies:
            samples.add(replies, feed.near)
        paid += len(replies)

    while left := {key: ask for key, ask in left.items() if key not in refused}:
        purse.settle()
        budget.settle(purse)
        batches.submit(left, purse.total)
        answers = batches.collect(keep)
        if answers is None:
            batches.wait_or_leave()
            continue
        found = {key: answer for key, answer in answers.items() if isinstance(answer, Refusal) and key in left}
        refused |= found
        left = {key: ask for key, ask in left.items() if key not in answers}
        _require_some(batches, found, of=len(asks), answered=paid + feed.spent.reused)
    for refusal in refused.values():
        feed.spent.pay(refusal)
    batches.settle()
    return refused


def _require_some(batches: Batches, found: Mapping[str, Refusal], *, of: int, answered: int) -> None:
    """Raise RecipeError when everything is refused for one reason; the refusals are forgotten then."""
    equal = EqualRefusals(batches.model.name, of, lambda: answered, batches.api)
    try:
        for refusal in found.values():
            equal.note(refusal)
    except RecipeError:
        batches.settle()
        raise
