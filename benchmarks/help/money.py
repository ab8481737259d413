"""How well device-seconds are attributed, and how far a limit of money is overshot.

Two sets of problems, each alone and both together, each in a server's life of its own. The figure is that of a
simulated server of so many slots, which the meter looks at every second of its own clock, as a real one's pace depends
on what else the machine does; `python -m benchmarks.help.money` measures a real one of a zoo model, a set at a time
(`short`, `long`, `both`). The limit is that of four clients which hear of each other late; one is killed.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from benchmarks.serving.workload import PROJECT, SLOTS, ZOO, question
from tracemill.engine.resources import CostLimit, Resources
from tracemill.engine.store import Store
from tracemill.models.budget import Budget
from tracemill.models.costs import ServerLife, lives
from tracemill.models.lease import answering
from tracemill.models.model import Model
from tracemill.models.purse import Purse
from tracemill.models.request import Ask
from tracemill.models.server.meter import Meter
from tracemill.models.server.metrics import Gauges
from tracemill.models.server.replica import Replica
from tracemill.models.session import Feed

SETS = ("short", "long")
RUNS = {"short": ("short",), "long": ("long",), "both": SETS}  # what each server's life answers
ANSWERS = 1_440  # of a set at the real server: its last answers, for which slots stand empty, are few of them
READ = {"short": (20, 60), "long": (100, 900)}  # tokens of a question at the simulated server, from and to
WRITTEN = {"short": (20, 60), "long": (200, 3_000)}  # tokens of an answer
READING = 0.002  # seconds of a token that is read
WRITING = 0.02  # seconds of a token that is written
FOLDER = PROJECT / "var" / "bench" / "money"
CLIENTS = 4
IN_FLIGHT = 16  # of each client
LIMIT = 200.0
Lived = tuple[dict[str, float], float]  # the device-seconds attributed to each set, and those that the server used


def figures() -> dict[str, float | int]:
    """The figures of money."""
    return {**attribution(), **overshoot()}


def attribution() -> dict[str, float]:
    """How far a set's device-seconds together are from those alone, and all attributed ones from what was used."""
    with TemporaryDirectory() as folder:
        store = Store.at(f"{folder}/store", create=True)
        return compared({name: _simulated(store, sets) for name, sets in RUNS.items()})


def compared(told: Mapping[str, Lived]) -> dict[str, float]:
    """The two errors, of the lives of three servers."""
    alone = {name: told[name][0][name] for name in SETS}
    off = [abs(told["both"][0][name] / alone[name] - 1) for name in SETS]
    sums = [abs(sum(sets.values()) / used - 1) for sets, used in told.values()]
    return {"attributed_error": max(off), "attributed_sum_error": max(sums)}


def measured(run: str) -> Lived:
    """The same of a real server's life, kept: it takes two to three minutes, on a machine that does nothing else."""
    place = FOLDER / run
    result = place / "result.json"
    if not result.is_file():
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(json.dumps(_lived(Store.at(str(place / f"store-{time.time():.0f}"), create=True), RUNS[run])))
    sets, used = json.loads(result.read_text())
    return sets, used


def _simulated(store: Store, sets: Sequence[str]) -> Lived:
    """A server that answers these sets, turn and turn about, as many requests at once as it has slots."""
    draw = random.Random(7)
    tokens = {name: [(draw.randint(*READ[name]), draw.randint(*WRITTEN[name])) for _ in range(2_000)] for name in sets}
    asked = [one for both in zip(*tokens.values(), strict=True) for one in both]
    slots = [0.0] * SLOTS
    ends: list[tuple[float, int, int]] = []
    for read, wrote in asked:
        end = heapq.heappop(slots) + read * READING + wrote * WRITING
        heapq.heappush(slots, end)
        ends.append((end, read, wrote))
    meter = Meter(store, _life(), _Silent())
    began = time.monotonic()
    for second in range(int(max(slots)) + 3):
        meter.note(_load(ends, second), began + second)
    time_ = meter.life.token_time()
    return {name: sum(time_.of(*one) for one in own) for name, own in tokens.items()}, meter.life.used


class _Silent:
    """A server that nobody asks how it is."""

    def gauges(self) -> Gauges | None:
        """Nothing."""
        return None


def _life() -> ServerLife:
    told = {"server": "simulated", "replica": 0, "host": "here", "models": ("teacher",), "unit": "GPU", "devices": 1}
    return ServerLife.model_validate({**told, "began": 0.0, "seen": 0.0})


def _load(ends: Sequence[tuple[float, int, int]], second: float) -> Gauges:
    """What the server would say at that second."""
    done = [(read, wrote) for end, read, wrote in ends if end <= second]
    read = sum(one for one, _ in done)
    wrote = sum(one for _, one in done)
    left = len(ends) - len(done)
    return Gauges(
        running=min(SLOTS, left), prompted=read, generated=wrote, reading=read * READING, writing=wrote * WRITING
    )


def _lived(store: Store, sets: Iterable[str]) -> Lived:
    """Have one real server answer these sets, all at once."""
    machine = Resources(workers=1)
    over = Event()
    replica = Replica(_teacher(), 0, store, machine, over.is_set)
    with ThreadPoolExecutor() as threads:
        life = threads.submit(replica.serve)
        try:
            while not answering(store, "teacher", _teacher().identity(machine, store)):
                if life.done():
                    life.result()
                time.sleep(0.5)
            given = _all_asked(store, _teacher(), sets)
        finally:
            over.set()
        life.result()
    (known,) = lives(store)
    return {name: _seconds(known, facts) for name, facts in given.items()}, known.used


def _all_asked(store: Store, model: Model, sets: Iterable[str]) -> dict[str, dict[str, list[int]]]:
    with ThreadPoolExecutor() as threads:
        asked = {name: threads.submit(_asked, store, model, name) for name in sets}
        return {name: future.result() for name, future in asked.items()}


def _asked(store: Store, model: Model, name: str) -> dict[str, list[int]]:
    """Ask one set; what each server answered of it."""
    noted: dict[str, Any] = {}
    machine = Resources(workers=1, environment={}, made_with=noted)
    Feed(model, store, machine, name).answers([_ask(name, number) for number in range(ANSWERS)])
    servers: dict[str, list[int]] = noted["model teacher"]["servers"]
    return servers


def _seconds(life: ServerLife, servers: dict[str, list[int]]) -> float:
    _, prompt, tokens = servers[life.server]
    return life.token_time().of(prompt, tokens)


def _teacher() -> Model:
    flags = ["--max-num-seqs", str(SLOTS)]
    serve = {"concurrency": 2 * SLOTS, "flags": flags, "max_model_len": 1024}
    return Model.model_validate({"name": "teacher", "weights": str(ZOO / "teacher-small"), "serve": serve})


def _ask(name: str, number: int) -> Ask:
    """One sum of the short set, or three in one question of the long one."""
    start = 10_000 * SETS.index(name)
    parts = [question(start + 3 * number + more) for more in range(1 if name == "short" else 3)]
    body = {"messages": [{"role": "user", "content": " ".join(parts)}], "max_tokens": 384, "temperature": 1.0}
    return Ask("/v1/chat/completions", {**body, "seed": number})


def overshoot() -> dict[str, float]:
    """By what share of the requests in flight a limit is overshot, at the worst of some orders of events."""
    return {"cost_limit_overshoot": max(_overshot(seed) for seed in range(3)) / (CLIENTS * IN_FLIGHT)}


def _overshot(seed: int) -> float:
    """By how many requests, of which each costs one; one client is killed, and another comes in its place."""
    draw = random.Random(seed)
    paid = 0
    with TemporaryDirectory() as folder:
        store = Store.at(f"{folder}/store", create=True)
        clients = [_Client(store) for _ in range(CLIENTS)]
        for event in range(2_000):
            if event == 200:
                paid += len(clients[0].flying)  # what it had asked for is answered, and paid for
                clients[0] = _Client(store)
            paid += clients[draw.randrange(CLIENTS)].acts(draw)
        return paid + sum(len(client.flying) for client in clients) - LIMIT


class _Client:
    """A client with a purse, which looks at the store now and then."""

    def __init__(self, store: Store) -> None:
        api = {"url": "http://there/v1", "model": "there", "price": {"input": 0, "output": 1e6}}
        model = Model.model_validate({"name": "hosted", "api": api})
        assert model.api
        self.purse = Purse(store, "hosted", model.api)
        self.budget = Budget(store, CostLimit(LIMIT, "USD"))
        self.flying: list[AbstractContextManager[None]] = []
        self._look()

    def acts(self, draw: random.Random) -> int:
        """Look, take an answer, or ask; returns what was paid."""
        if draw.random() < 0.05:
            self._look()
        elif self.flying and draw.random() < 0.5:
            self.flying.pop().__exit__(None, None, None)
            self.purse.pay(0, 1, 0.0)
            self.purse.write()
            return 1
        elif len(self.flying) < IN_FLIGHT and self._may():
            held = self.purse.holding(1.0)
            held.__enter__()
            self.flying.append(held)
        return 0

    def _may(self) -> bool:
        return self.budget.spent(self.purse) < LIMIT and self.budget.affords(self.purse, 1.0)

    def _look(self) -> None:
        self.purse.settle()
        self.budget.settle(self.purse)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(*(f"{name}: {measured(name)}" for name in sys.argv[1:]), sep="\n")
    else:
        print(json.dumps({**figures(), "real": compared({name: measured(name) for name in RUNS})}))
