"""Sends the asks of one shard to a model's servers, stores what comes, and asks what its course wants next.

Asks are sent in order, the samples of one prompt next to each other, so that the server computes their common prefix
once; what a course wants next goes before what waits. An ask stays in flight until its answer lies in the sample store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import LimitSpent, TracemillError
from tracemill.models.answers import Answers, Course, Tag
from tracemill.models.flushing import Flushing
from tracemill.models.model import Model
from tracemill.models.prices import amount
from tracemill.models.refusals import EqualRefusals
from tracemill.models.rendering import NotShown, check, shown, tell
from tracemill.models.request import Ask, Packed, Refusal, Reply, Spent, Unended
from tracemill.models.samples import SampleStore

if TYPE_CHECKING:
    from tracemill.models.client import Client

REPORT_SECONDS = 15.0
LOOK_SECONDS = 0.25  # between two looks whether what a course waits for has come
progress = logging.getLogger("tracemill.progress")  # shown to people also where nothing else is


class Sender(Protocol):
    """Whose asks they are: one model as a shard sees it, with what was spent on it; a Feed is one."""

    model: Model
    store: ObjectStore
    resources: Resources
    near: str
    spent: Spent

    @property
    def money(self) -> float | None:
        """What the paid answers cost."""
        ...

    def notice(self, name: str | None) -> None:
        """Note what a server calls itself."""
        ...

    def settle(self, asks: Mapping[Tag, Ask], answers: Answers) -> None:
        """Refuse those of these asks that no server can answer."""
        ...


class Sending:
    """One stretch of asking, inside one event loop. `engines`: the versions that answered."""

    def __init__(self, feed: Sender, samples: SampleStore, course: Course, answers: Answers) -> None:
        self.feed = feed
        self.course = course
        self.answers = answers
        self.engines: set[str] = set()
        self._concurrency = feed.model.serve.concurrency
        self._flushing = Flushing(samples, feed.near, self._concurrency)
        self._asks: dict[str, Ask] = {}  # that are not answered yet
        self._tags: dict[str, list[Tag]] = {}  # by which the course calls them
        self._todo: deque[str] = deque()
        self._flying: dict[str, asyncio.Task[None]] = {}
        self._unended: dict[str, Unended] = {}
        self._untold: list[str] = []
        self._telling = False
        self._spent: LimitSpent | None = None  # then nothing more is sent, and what flies is waited for
        self._news = asyncio.Event()  # something is to be told to the course
        self._moved = asyncio.Event()  # something else may be asked, or nothing more will
        self._done = 0
        self._total = 0
        self._began = time.monotonic()

    async def run(self, asks: Mapping[Tag, Ask]) -> dict[Tag, Ask]:
        """Ask all that the course wants, from these asks on. Returns those with answers that it was not told of.

        What was answered is stored even when this fails half-way. Raises LimitSpent once all that flew then is stored.
        """
        from tracemill.models.client import Client  # late: reading a recipe must not load an HTTP library
        from tracemill.models.fleet import Fleet

        self._line_up(asks)
        spent = self.feed.spent
        model = self.feed.model
        self._equal = EqualRefusals(model.name, self._total, lambda: spent.paid + spent.reused, model.api)
        fleet = Fleet(model, self.feed.store, self.feed.resources)
        client = Client(fleet, self.feed.resources.transport)
        if fleet.purse:
            self._flushing.before = fleet.purse.write
        try:
            async with client, asyncio.TaskGroup() as group:
                await self._show(client)
                attending = (self._flushing.write_parts(self._more_come), self._report(client), self._tell())
                attendants = [group.create_task(attendant) for attendant in attending]
                last = await self._send_all(client, group)
                if self._equal.unsure and not self._spent:
                    await self._probe(client, last, self._equal.unsure)
                for attendant in attendants:
                    attendant.cancel()
        except ExceptionGroup as failures:
            raise _plainest(failures) from failures
        finally:
            self.engines = fleet.engines
            for tokens in client.closed:
                spent.end("cancelled", tokens)
            left = self._keep_unended(fleet.endings.named)
            self._flushing.store()
        if self._spent:
            raise self._spent
        return left

    def _line_up(self, asks: Mapping[Tag, Ask], *, first: bool = False) -> None:
        """Line these asks up, before all others if they are a course's next; equal ones are asked once."""
        keys = self.answers.expect(asks)
        fresh: dict[str, Ask] = {}
        for tag, ask in asks.items():
            key = keys[tag]
            self._tags.setdefault(key, []).append(tag)
            if self.answers.has(tag):
                self._untold.append(key)
            elif key not in self._asks:
                fresh[key] = ask
        self._asks |= fresh
        self._total += len(fresh)
        if first:
            self._todo.extendleft(reversed(fresh))
        else:
            self._todo.extend(fresh)
        if self._untold:
            self._news.set()

    async def _send_all(self, client: Client, group: asyncio.TaskGroup) -> Ask:
        """Send all until nothing more will come, and wait until it is stored. Returns the last of the first asks."""
        last = next(reversed(self._asks.values()))
        slots = self._flushing.slots
        await slots.acquire()
        while (key := await self._next(client)) is not None:
            self._flying[key] = group.create_task(self._one(client, key, self._asks[key]))
            await slots.acquire()
        for _ in range(self._concurrency - 1):
            await slots.acquire()
        return last

    async def _next(self, client: Client) -> str | None:
        """The key to ask next; waits while an answer may still bring one. None when nothing is left to ask."""
        while True:
            self._moved.clear()
            if self._spent:
                return None
            if self._todo:
                key = self._todo.popleft()
                if key in self._asks:  # it was not dropped
                    return key
            elif self._flying or self._untold or self._telling or self.course.waits:
                await self._moved.wait()
            elif not self._take_up(client.fleet.endings.named):
                return None

    def _take_up(self, named: Collection[str]) -> bool:
        """Ask again what came without an end from a server that has given others one since; whether there was any."""
        again = [key for key, begun in self._unended.items() if begun.endpoint in named]
        for key in again:
            del self._unended[key]
        self._todo.extend(again)
        return bool(again)

    async def _tell(self) -> None:
        """Tell the course what came, a batch at a time and in a thread: it may take long to make up its mind."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS if self.course.waits else None)
            self._news.clear()
            tags = [tag for key in self._untold for tag in self._tags.pop(key, ())]
            self._untold = []
            if tags or self.course.waits:
                self._telling = True
                wish = await asyncio.to_thread(self.course.told, tags, self.answers)
                self._drop(wish.dropped)
                self.feed.settle(wish.asks, self.answers)
                self._line_up(wish.asks, first=True)
                self._telling = False
            self._moved.set()

    def _drop(self, tags: Iterable[Tag]) -> None:
        """Ask these no more: what waits is left, what is on its way is closed."""
        for key in self.answers.drop(tags):
            self._tags.pop(key, None)
            if key in self._flying:
                self._flying[key].cancel()
            elif self._asks.pop(key, None):
                self._unended.pop(key, None)
                self._total -= 1

    async def _one(self, client: Client, key: str, ask: Ask) -> None:
        try:
            answer = await client.ask(ask)
            self.feed.spent.pay(answer)
            if isinstance(answer, Unended):
                self._unended[key] = answer
                self._flushing.slots.release()
            elif isinstance(answer, Reply):
                self._keep(key, answer)
            else:
                self._take(key, answer)
                if self._equal.note(answer):
                    await self._probe(client, ask, answer)
                self._flushing.slots.release()
            client.fleet.endings.require(self._total)
        except LimitSpent as spent:
            self._spent = self._spent or spent
            self._flushing.slots.release()
        except asyncio.CancelledError:
            self._flushing.slots.release()
            raise
        finally:
            self._flying.pop(key, None)
            self._moved.set()

    def _keep(self, key: str, reply: Reply) -> None:
        self.feed.notice(reply.served_model)
        self._take(key, Packed.of(reply))
        self._flushing.add(key, reply)

    def _take(self, key: str, answer: Packed | Refusal) -> None:
        self._done += 1
        self._asks.pop(key, None)
        if key in self._tags:
            self.answers.keep({key: answer})
            self._untold.append(key)
            self._news.set()

    def _keep_unended(self, named: Collection[str]) -> dict[Tag, Ask]:
        """Keep what came without an end from servers that never gave any: it was paid, and is as whole as it gets."""
        kept = {key: begun for key, begun in self._unended.items() if begun.endpoint not in named}
        left = {tag: self._asks[key] for key in kept for tag in self._tags.get(key, ())}
        for key, begun in kept.items():
            self._keep(key, begun)
        return left

    def _more_come(self) -> bool:
        return self._done < self._total

    async def _show(self, client: Client) -> None:
        """Show the first prompt as the model gets it, or say that nobody tells. Raises RecipeError as `check`."""
        name = self.feed.model.name
        try:
            prompt = await client.rendered(next(iter(self._asks.values())))
        except NotShown as why:
            tell(name, f"the prompt as the model gets it cannot be known: {why}")
            return
        if prompt is not None:
            tell(name, f"the first prompt as the model gets it: {shown(prompt)}")
            check(name, prompt)

    async def _probe(self, client: Client, ask: Ask, refusal: Refusal) -> None:
        """Ask something that nobody can mind. Raises RecipeError when that is refused, too."""
        harmless = ask.canary() if client.answered else ask.probe()
        self._equal.judge(refusal, await client.ask(harmless))

    async def _report(self, client: Client) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            done = self._done
            total = self._total
            taken = time.monotonic() - self._began
            rate = self.feed.spent.completion_tokens / taken
            left = f"about {taken / done * (total - done):.0f} s left" if done else "none answered yet"
            tokens = self.feed.spent.completion_tokens
            money = "" if self.feed.money is None else f", {amount(self.feed.money)} spent"
            said = f"; the server says: {str(client.last)[:200]}" if client.last else ""
            told = (self.feed.model.name, done, total, rate, tokens, money, left, said)
            progress.info("%s: %d of %d answered, %.0f tokens/s, %d tokens%s, %s%s", *told)


def _plainest(failures: ExceptionGroup[Exception]) -> Exception:
    """The one failure to show of many at once: ours if there is one; all asks fail alike when a server is gone."""
    first: Exception = failures
    while isinstance(first, ExceptionGroup):
        first = min(first.exceptions, key=lambda error: not isinstance(error, TracemillError))
    return first
