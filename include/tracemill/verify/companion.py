"""Verifies beside a task that asks models: reads the parts of questions that it flushes and writes their verdicts."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, StoreError, TracemillError, VerifierError
from tracemill.models.lease import BEAT, Lease, forget_failure, leave_word, renew, wanted, withdraw
from tracemill.verify import AnyVerifier, parts
from tracemill.verify.bench import Verdicts
from tracemill.verify.parts import Part, Parts
from tracemill.verify.verifier import Question, Verdict

LOOK_EVERY = 0.25  # seconds between two looks for questions
IDLE = 300.0  # seconds without a question after which the place is given up
AT_ONCE = 64  # parts that are judged in one go: what came meanwhile waits no longer than these take
SHARDS_HELD = 4  # whose problems are kept in memory
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seat:
    """One set of verifiers and its digest (`parts.who`)."""

    verifiers: Sequence[AnyVerifier]
    bench: str


class Companion:
    """Gives the verdicts of these seats until `done` says that nobody needs them, or nobody asked for `idle` seconds.

    Any number may work on one store, and any of them may die at any moment: a part has one set of verdicts, that of
    whoever was first, and one without any is judged by the next.
    """

    def __init__(
        self,
        seats: Sequence[Seat],
        store: ObjectStore,
        resources: Resources,
        done: Callable[[], bool],
        idle: float = IDLE,
    ) -> None:
        self._seats = seats
        self._store = store
        self._resources = resources
        self._done = done
        self._idle = idle
        self._told = threading.Event()
        self._name = uuid.uuid4()
        self._problems: dict[str, dict[str, Question]] = {}
        self.judged = 0

    def stop(self) -> None:
        """End after the parts at hand. Safe to call from a signal handler."""
        self._told.set()

    def serve(self) -> Literal["done", "idle", "told"]:
        """Judge until the end. What it raises is left on the store, for those who wait: VerifierError, and whatever
        a sandbox raises that cannot be had.
        """
        names = [parts.lease_name(seat.bench) for seat in self._seats]
        for name in names:
            forget_failure(self._store, name)
        try:
            with ExitStack() as stack:
                for seat in self._seats:
                    stack.enter_context(self._lease(seat))
                return self._work(names)
        except TracemillError as error:
            for name in names:
                leave_word(self._store, name, error, final=isinstance(error, RecipeError))
            raise

    def _work(self, names: Sequence[str]) -> Literal["done", "idle", "told"]:
        active = time.monotonic()
        looked = 0.0
        while not self._told.is_set():
            judged = sum([self._round(seat) for seat in self._seats])
            self.judged += judged
            now = time.monotonic()
            if judged:
                active = now
            elif now - looked > BEAT:
                looked = now
                if self._done():
                    return "done"
                if any(wanted(self._store, name) for name in names):
                    active = now
            if now - active > self._idle:
                return "idle"
            self._told.wait(0 if judged else LOOK_EVERY)
        return "told"

    @contextmanager
    def _lease(self, seat: Seat) -> Iterator[None]:
        """A lease while the block runs, renewed by a thread: one program may take longer than a lease lives."""
        name = parts.lease_name(seat.bench)
        lease = Lease(
            model=name,
            identity=seat.bench,
            replica=self._name.int % 100_000,
            url="store:",
            host=socket.gethostname(),
            pid=os.getpid(),
            renewed=0.0,
        )
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT):
                try:
                    renew(self._store, lease)
                except StoreError as error:
                    _log.warning("the lease could not be renewed, it is tried again in %.0f s: %s", BEAT, error)

        renew(self._store, lease)
        thread = threading.Thread(target=beat, name=f"lease {name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            withdraw(self._store, lease)

    def _round(self, seat: Seat) -> int:
        """Judge what is open now, some parts at a time; returns how many questions that were."""
        todo = sorted(Parts.below(self._store, seat.bench).open, key=self._order)[:AT_ONCE]
        work = {part: found for part in todo if (found := self._questions(part)) is not None}
        for part, verdicts in _judged(seat.verifiers, work, self._resources):
            if not self._store.create_bytes(part.verdicts, parts.encoded(parts.verdict_rows(verdicts))):
                _log.info("another verify task was first with %s", part.verdicts)
        return sum(map(len, work.values()))

    def _order(self, part: Part) -> str:
        """Another order in each worker, so that two do not judge the same parts."""
        return uuid.uuid5(self._name, part.name).hex

    def _questions(self, part: Part) -> dict[str, Question] | None:
        """The questions of a part; None where it is gone: nobody waits for it any more."""
        try:
            asked = parts.stored(self._store, part.asked)
            posed = self._posed(part)
        except FileNotFoundError:
            return None
        return {
            row["id"]: replace(posed[row["problem_id"]], generation_id=row["id"], answer=row["answer"])
            for row in asked.to_pylist()
        }

    def _posed(self, part: Part) -> dict[str, Question]:
        """The problems of a part's shard; those of a few shards are kept, as their parts come one after the other."""
        key = parts.problems_key(part.bench, part.near)
        if key not in self._problems:
            rows = parts.stored(self._store, key).to_pylist()
            while len(self._problems) >= SHARDS_HELD:
                del self._problems[next(iter(self._problems))]
            self._problems[key] = {row["id"]: parts.posed(row) for row in rows}
        return self._problems[key]


def _judged(
    verifiers: Sequence[AnyVerifier], work: Mapping[Part, Mapping[str, Question]], resources: Resources
) -> Iterator[tuple[Part, Verdicts]]:
    """The verdicts of each part as soon as it is whole. Raises VerifierError when a question got no verdict."""
    questions = {name: question for own in work.values() for name, question in own.items()}
    applying = {name: [v.name for v in verifiers if v.applies(one)] for name, one in questions.items()}
    found: defaultdict[str, list[Verdict]] = defaultdict(list)
    left = {part: sum(len(applying[name]) for name in own) for part, own in work.items()}
    parts_of: defaultdict[str, list[Part]] = defaultdict(list)
    for part, own in work.items():
        for name in own:
            parts_of[name].append(part)
    for part in [part for part, count in left.items() if count == 0]:
        yield part, {name: found[name] for name in work[part]}
    for verifier in verifiers:
        asked = [one for name, one in questions.items() if verifier.name in applying[name]]
        for verdict in verifier.judge(asked, resources) if asked else ():
            found[verdict.generation_id].append(verdict)
            for part in parts_of[verdict.generation_id]:
                left[part] -= 1
                if left[part] == 0:
                    yield part, {name: found[name] for name in work[part]}
    if any(left.values()):
        raise VerifierError(f"{sum(left.values())} questions got no verdict from {[v.name for v in verifiers]}")
