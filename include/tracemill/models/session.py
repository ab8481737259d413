"""Gets the answers to the asks of one shard: from the sample store where they are known, else from the model's servers.

Asks are sent in order, the samples of one prompt next to each other, so that the server computes their common prefix
once. At most `concurrency` asks are in flight, and an ask stays in flight until its answer lies in the sample store: so
whatever kills this task, no more than `concurrency` answers are ever paid for twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tracemill.engine.keys import samples_root
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import TracemillError
from tracemill.models.continuation import UNKNOWN_TOKENS
from tracemill.models.endings import require_named
from tracemill.models.model import Model
from tracemill.models.refusals import EqualRefusals
from tracemill.models.rendering import check, shown
from tracemill.models.request import Answer, Ask, Packed, Refusal, Reply, Spent, Unended
from tracemill.models.samples import SampleStore

if TYPE_CHECKING:
    from tracemill.models.client import Client

FLUSH_SHARE = 8  # a part is written when an eighth of the asks in flight wait for it ...
FLUSH_SECONDS = 1.0  # ... or when the first of them has waited that long
REPORT_SECONDS = 15.0
_Held = Packed | Refusal
_log = logging.getLogger(__name__)
progress = logging.getLogger("tracemill.progress")  # shown to people also where nothing else is


@dataclass
class Feed:
    """One model as a shard sees it: `near` is the shard's name in the sample store. Counts what it spent.

    `engines` are the versions that answered, `served` the names that servers gave themselves.
    """

    model: Model
    store: ObjectStore
    resources: Resources
    near: str
    spent: Spent = field(default_factory=Spent)
    engines: set[str] = field(default_factory=set)
    served: set[str] = field(default_factory=set)

    def notice(self, name: str | None) -> None:
        """Note what a server calls itself; a change is said, as it may be another model under the same name."""
        if name and name not in self.served:
            if self.served:
                known = ", ".join(sorted(self.served))
                progress.warning("%s: its server calls itself %s now, and %s before", self.model.name, name, known)
            self.served.add(name)

    def _note(self, identity: str) -> None:
        """Say in the shard's manifest which weights and engines answered, and what it cost."""
        self.resources.made_with[f"model {self.model.name}"] = {
            "identity": identity,
            "engine": self.model.engine.model_dump(mode="json", exclude_defaults=True),
            "versions": sorted(self.engines),
            "served": sorted(self.served),
            "flags": list(self.model.serve.flags),
            **asdict(self.spent),
            "money": self.money,
        }

    @property
    def money(self) -> float | None:
        """What the paid answers cost, where the model has a price."""
        price = self.model.api.paid if self.model.api else None
        return price.of(self.spent.prompt_tokens, self.spent.completion_tokens) if price else None

    def answers(self, asks: Sequence[Ask]) -> list[Answer]:
        """One answer per ask, in their order. Raises ServingError when the servers are gone for good."""
        return list(self.drained(asks))

    def drained(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """The same answers one by one, when all are there; each is forgotten once it was given.

        So whoever makes something of each at once holds the texts of a shard about once.
        """
        identity = self.model.identity(self.resources, self.store)
        keys = [ask.key(identity) for ask in asks]
        held = self._held(identity, keys, asks) if keys else {}
        self._note(identity)
        left = Counter(keys)
        for key in keys:
            left[key] -= 1
            answer = held[key] if left[key] else held.pop(key)
            yield answer.reply() if isinstance(answer, Packed) else answer

    def _held(self, identity: str, keys: Sequence[str], asks: Sequence[Ask]) -> dict[str, _Held]:
        """The answers by key: those that the sample store has, and those that had to be asked for."""
        samples = SampleStore(samples_root(self.store, self.resources), identity)
        plain = {ask.plain.key(identity): key for key, ask in zip(keys, asks, strict=True) if ask.shape}
        known = samples.packed({*keys, *plain}, self.near)
        held: dict[str, _Held] = {key: known[other] for other, key in plain.items() if other in known}
        held |= {key: known[key] for key in keys if key in known}
        missing = {key: ask for key, ask in zip(keys, asks, strict=True) if key not in held}
        self.spent.reused += len(held)
        names = (one.rest.served_model for one in held.values() if isinstance(one, Packed))
        self.served |= {name for name in names if name}
        lost = [key for key, ask in missing.items() if ask.goes_on and ask.tokens is None]
        if lost:
            _log.warning("%s: %d answers stay cut: %s", self.model.name, len(lost), UNKNOWN_TOKENS)
            held |= {key: Refusal("refused", UNKNOWN_TOKENS) for key in lost}
            missing = {key: ask for key, ask in missing.items() if key not in held}
        if missing and self.model.api and self.model.api.batch:
            from tracemill.models.batched import ask_in_batches  # late: it loads an HTTP library

            held |= ask_in_batches(self, samples, missing)
            held |= samples.packed(set(missing) - held.keys(), self.near)
            missing = {key: ask for key, ask in missing.items() if key not in held}
        require_named(self.model.name, held.values(), len(asks))
        if missing:
            _log.info("%s: %d answers known, %d to ask for", self.model.name, len(held), len(missing))
            run = _Run(self, samples, missing)
            held |= asyncio.run(run.run())
            samples.join(self.near)
            self.engines |= run.engines
        return held


class _Run:
    """One stretch of asking, inside one event loop."""

    def __init__(self, feed: Feed, samples: SampleStore, asks: dict[str, Ask]) -> None:
        self.feed = feed
        self.samples = samples
        self.asks = asks
        self.concurrency = feed.model.serve.concurrency
        self.slots = asyncio.Semaphore(self.concurrency)
        self.answers: dict[str, _Held] = {}
        self.waiting: dict[str, Reply] = {}
        self.unended: dict[str, Unended] = {}
        self.wake = asyncio.Event()
        self.engines: set[str] = set()
        self.storing = threading.Lock()
        known = feed.spent
        self.equal = EqualRefusals(feed.model.name, len(asks), lambda: known.paid + known.reused, feed.model.api)
        self.began = time.monotonic()

    async def run(self) -> dict[str, _Held]:
        """Ask everything; what was answered is stored even when this fails half-way."""
        from tracemill.models.client import Client  # late: reading a recipe must not load an HTTP library
        from tracemill.models.fleet import Fleet

        fleet = Fleet(self.feed.model, self.feed.store, self.feed.resources)
        try:
            async with Client(fleet, self.feed.resources.transport) as client, asyncio.TaskGroup() as group:
                await self._show(client)
                attendants = [group.create_task(self._write_parts()), group.create_task(self._report(client))]
                for key, ask in self.asks.items():
                    await self.slots.acquire()
                    group.create_task(self._one(client, key, ask))
                for _ in range(self.concurrency):
                    await self.slots.acquire()
                if self.equal.unsure:
                    await self._probe(client, next(reversed(self.asks.values())), self.equal.unsure)
                await self._ask_the_unended_again(client)
                for attendant in attendants:
                    attendant.cancel()
        except ExceptionGroup as failures:
            raise _plainest(failures) from failures
        finally:
            self.engines = fleet.engines
            self._keep_unended(fleet.endings.named)
            self._store_waiting()
        return self.answers

    async def _show(self, client: Client) -> None:
        """Show the first prompt as the model gets it, where that may be a surprise. Raises RecipeError as `check`."""
        first = next(iter(self.asks.values()))
        if client.fleet.is_fixed and "continue_final_message" not in first.body:
            return
        prompt = await client.rendered(first)
        if prompt is not None:
            _log.info("%s: the first prompt as the model gets it: %s", self.feed.model.name, shown(prompt))
            check(self.feed.model.name, prompt)

    async def _one(self, client: Client, key: str, ask: Ask) -> None:
        answer = await client.ask(ask)
        self.feed.spent.pay(answer)
        if isinstance(answer, Unended):
            self.unended[key] = answer
            self.slots.release()
            client.fleet.endings.require(len(self.asks))
            return
        if isinstance(answer, Reply):
            self._keep(key, answer)
            client.fleet.endings.require(len(self.asks))
            return
        self.answers[key] = answer
        if self.equal.note(answer):
            await self._probe(client, ask, answer)
        self.slots.release()

    def _keep(self, key: str, reply: Reply) -> None:
        self.feed.notice(reply.served_model)
        self.answers[key] = Packed.of(reply)
        self.waiting[key] = reply
        self.wake.set()

    async def _ask_the_unended_again(self, client: Client) -> None:
        """Ask again what came without an end from a server that has given others one since, when all else is there."""
        named = client.fleet.endings.named
        while again := [key for key, begun in self.unended.items() if begun.endpoint in named]:
            for key in again:
                del self.unended[key]
                await self._one(client, key, self.asks[key])

    def _keep_unended(self, named: Collection[str]) -> None:
        """Keep what came without an end from servers that never gave any: it was paid, and is as whole as it gets."""
        for key, begun in self.unended.items():
            if begun.endpoint not in named:
                self._keep(key, begun)

    async def _probe(self, client: Client, ask: Ask, refusal: Refusal) -> None:
        """Ask something that nobody can mind. Raises RecipeError when that is refused, too."""
        harmless = ask.canary() if client.answered else ask.probe()
        self.equal.judge(refusal, await client.ask(harmless))

    async def _write_parts(self) -> None:
        """Store what waits, in parts neither too small nor too late, and let go of the slots of what is stored."""
        enough = max(1, self.concurrency // FLUSH_SHARE)
        while True:
            await self.wake.wait()
            due = time.monotonic() + FLUSH_SECONDS
            while len(self.waiting) < enough and len(self.answers) < len(self.asks) and time.monotonic() < due:
                await asyncio.sleep(FLUSH_SECONDS / 20)
            self.wake.clear()
            for _ in range(await asyncio.to_thread(self._store_waiting)):
                self.slots.release()

    def _store_waiting(self) -> int:
        with self.storing:
            part = dict(self.waiting)
            if part:
                self.samples.add(part, self.feed.near)
            for key in part:
                del self.waiting[key]
            return len(part)

    async def _report(self, client: Client) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            done = len(self.answers)
            total = len(self.asks)
            taken = time.monotonic() - self.began
            rate = self.feed.spent.completion_tokens / taken
            left = f"about {taken / done * (total - done):.0f} s left" if done else "none answered yet"
            tokens = self.feed.spent.completion_tokens
            money = "" if self.feed.money is None else f", {self.feed.money:.2f} spent"
            name = self.feed.model.name
            said = f"; the server says: {str(client.last)[:200]}" if client.last else ""
            told = (name, done, total, rate, tokens, money, left, said)
            progress.info("%s: %d of %d answered, %.0f tokens/s, %d tokens%s, %s%s", *told)


def _plainest(failures: ExceptionGroup[Exception]) -> Exception:
    """The one failure to show of many at once: ours if there is one; all asks fail alike when a server is gone."""
    first: Exception = failures
    while isinstance(first, ExceptionGroup):
        first = min(first.exceptions, key=lambda error: not isinstance(error, TracemillError))
    return first
