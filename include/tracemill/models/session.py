"""Gets the answers to the asks of one shard: from the sample store where they are known, else from the model's servers.

Which asks are sent is a course's affair (`answers.Course`): all at once, or the next ones from the answers so far. What
the store knows is told to it first; only what it wants beyond that is asked of a server.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tracemill.engine.keys import samples_root
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import AnswersUnknown
from tracemill.models.answers import Answers, Course, Held, Tag, Together
from tracemill.models.continuation import UNKNOWN_TOKENS
from tracemill.models.endings import require_named
from tracemill.models.model import Model
from tracemill.models.request import Answer, Ask, Packed, Refusal, Spent
from tracemill.models.samples import SampleStore
from tracemill.models.sending import LOOK_SECONDS, Sending, progress

_log = logging.getLogger(__name__)


@dataclass
class Feed:
    """One model as a shard sees it: `near` is the shard's name in the sample store. Counts what it spent.

    `engines` are the versions that answered, now or before, `served` the names that servers gave themselves, `cut` how
    many cut answers could not go on.
    """

    model: Model
    store: ObjectStore
    resources: Resources
    near: str
    spent: Spent = field(default_factory=Spent)
    engines: set[str] = field(default_factory=set)
    served: set[str] = field(default_factory=set)
    cut: int = 0

    def notice(self, name: str | None) -> None:
        """Note what a server calls itself; a change is said, as it may be another model under the same name."""
        if name and name not in self.served:
            if self.served:
                known = ", ".join(sorted(self.served))
                progress.warning("%s: its server calls itself %s now, and %s before", self.model.name, name, known)
            self.served.add(name)

    def _note(self, identity: str, held: Iterable[Held]) -> None:
        """Say in the shard's manifest which weights and engines answered, and what it cost."""
        self.resources.made_with[f"model {self.model.name}"] = {
            "identity": identity,
            "engine": self.model.engine.model_dump(mode="json", exclude_defaults=True),
            "versions": sorted(self.engines),
            "served": sorted(self.served),
            "flags": list(self.model.serve.flags),
            **asdict(self.spent),
            "money": self.money,
            **by_server(held),
        }

    @property
    def money(self) -> float | None:
        """What the paid answers cost, where the model has a price and the tokens of all were counted."""
        price = self.model.token_price
        if price is None or self.spent.uncounted:
            return None
        return price.of(self.spent.prompt_tokens, self.spent.completion_tokens)

    def answers(self, asks: Sequence[Ask]) -> list[Answer]:
        """One answer per ask, in their order. Raises ServingError when the servers are gone for good."""
        return list(self.drained(asks))

    def drained(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """The same answers one by one, when all are there; each is forgotten once it was given.

        So whoever makes something of each at once holds the texts of a shard about once.
        """
        answers = self.followed(Together(asks))
        for place in range(len(asks)):
            yield answers.take((place,))

    def followed(self, course: Course) -> Answers:
        """The answers to all asks that the course wanted. Raises ServingError when the servers are gone for good.

        Where nothing may be asked (`Resources.asks`), AnswersUnknown for the first that the sample store does not know.
        """
        identity = self.model.identity(self.resources, self.store)
        answers = Answers(identity)
        samples = SampleStore(samples_root(self.store, self.resources), identity)
        first = course.begin()
        self._look(samples, answers, {**first, **course.ahead()})
        missing = self._replayed(samples, answers, course, first)
        require_named(self.model.name, answers.values(), len(first))
        while missing:
            if not self.resources.asks:
                raise AnswersUnknown(self.model.name, len(missing))
            untold = self._asked(samples, answers, course, missing)
            missing = self._replayed(samples, answers, course, untold)
        self._note(identity, answers.values())
        if self.cut:
            _log.warning("%s: %d answers stay cut: %s", self.model.name, self.cut, UNKNOWN_TOKENS)
        return answers

    def _replayed(
        self, samples: SampleStore, answers: Answers, course: Course, asks: Mapping[Tag, Ask]
    ) -> dict[Tag, Ask]:
        """Tell the course what is known until it wants only what is not; returns that."""
        missing: dict[Tag, Ask] = {}
        while asks or course.waits:
            known = [tag for tag in asks if answers.has(tag)]
            missing |= {tag: ask for tag, ask in asks.items() if not answers.has(tag)}
            wish = course.told(known, answers)
            answers.drop(wish.dropped)
            missing = {tag: ask for tag, ask in missing.items() if tag not in wish.dropped}
            asks = wish.asks
            self._look(samples, answers, asks)
            if not asks and course.waits:
                time.sleep(LOOK_SECONDS)
        return missing

    def _look(self, samples: SampleStore, answers: Answers, asks: Mapping[Tag, Ask]) -> None:
        """Take what the sample store knows of these asks; one for an answer of a shape also in any form."""
        fresh = {tag: ask for tag, ask in asks.items() if not answers.knows(tag)}
        keys = answers.expect(fresh)
        plain = {ask.plain.key(answers.identity): keys[tag] for tag, ask in fresh.items() if ask.shape}
        if not keys:
            return
        known = samples.packed({*keys.values(), *plain}, self.near)
        held: dict[str, Held] = {key: known[other] for other, key in plain.items() if other in known}
        held |= {key: known[key] for key in keys.values() if key in known}
        answers.keep(held)
        rests = [one.rest for one in held.values() if isinstance(one, Packed)]
        for rest in rests:
            self.spent.find(rest)
        self.served |= {one.served_model for one in rests if one.served_model}
        self.engines |= {one.engine for one in rests if one.engine}
        self.settle(fresh, answers)

    def settle(self, asks: Mapping[Tag, Ask], answers: Answers) -> None:
        """Refuse to go on with answers whose tokens nobody knows."""
        lost = {tag: ask for tag, ask in asks.items() if ask.goes_on and ask.tokens is None}
        keys = answers.expect(lost)
        refused = {key: Refusal("refused", UNKNOWN_TOKENS) for tag, key in keys.items() if not answers.has(tag)}
        self.cut += len(refused)
        answers.keep(refused)

    def _asked(self, samples: SampleStore, answers: Answers, course: Course, missing: dict[Tag, Ask]) -> dict[Tag, Ask]:
        """Have these asks answered, and what the course wants then. Returns those that it is yet to be told of."""
        untold: dict[Tag, Ask] = {}
        if self.model.api and self.model.api.batch:
            from tracemill.models.batched import ask_in_batches  # late: it loads an HTTP library

            by_key = {key: missing[tag] for tag, key in answers.expect(missing).items()}
            answers.keep(ask_in_batches(self, samples, by_key))
            answers.keep(samples.packed({key for key in by_key if not answers.holds(key)}, self.near))
            untold = {tag: ask for tag, ask in missing.items() if answers.has(tag)}
            missing = {tag: ask for tag, ask in missing.items() if tag not in untold}
        if missing:
            known = len(answers.values())
            _log.info("%s: %d answers known, %d to ask for", self.model.name, known, len(missing))
            sending = Sending(self, samples, course, answers)
            untold |= asyncio.run(sending.run(missing))
            samples.join(self.near)
            self.engines |= sending.engines
        return untold


def by_server(held: Iterable[Held]) -> dict[str, dict[str, list[int]]]:
    """Answers, tokens read and tokens written, by each server of a run that gave some of them; {} where none did."""
    servers: dict[str, list[int]] = {}
    for one in held:
        if isinstance(one, Packed) and one.rest.server:
            counts = servers.setdefault(one.rest.server, [0, 0, 0])
            more = (1, one.rest.prompt_tokens or 0, one.rest.completion_tokens or 0)
            servers[one.rest.server] = [old + new for old, new in zip(counts, more, strict=True)]
    return {"servers": servers} if servers else {}
