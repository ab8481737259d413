"""How well device-seconds are attributed, and how far a limit of money is overshot.

Two sets of problems, each alone and both together, each in a server's life of its own. The figure is that of the
shipped fake server, as a real one's pace depends on what else the machine does; `python -m benchmarks.help.money`
measures a real one of a zoo model, too, a set at a time (`short`, `long`, `both`). The limit is measured by what the
fake server answered in all: four clients in processes of their own, of which one is killed and comes again.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import httpx

from benchmarks.serving.workload import PROJECT, SLOTS, ZOO, question
from tracemill.engine.resources import CostLimit, Resources
from tracemill.engine.store import Store
from tracemill.errors import LimitSpent
from tracemill.models.costs import ServerLife, lives
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import Lease, answering, renew
from tracemill.models.model import Model
from tracemill.models.request import Ask
from tracemill.models.server.meter import Meter
from tracemill.models.server.metrics import Gauges, parse_metrics
from tracemill.models.server.replica import Replica
from tracemill.models.session import Feed

SETS = ("short", "long")
RUNS = {"short": ("short",), "long": ("long",), "both": SETS}  # what each server's life answers
ANSWERS = 480  # of a set: what one server answers in about half a minute
FOLDER = PROJECT / "var" / "bench" / "money"
CLIENTS = 4
IN_FLIGHT = 16  # of each client
LIMIT = 1000.0
WORDS = 4  # of an answer; each costs one
PACE = 0.01  # seconds of a word of the fake server's
FAKE = Model.model_validate(
    {"name": "teacher", "weights": "org/teacher", "revision": "fake", "serve": {"concurrency": 2 * SLOTS}}
)
Lived = tuple[dict[str, float], float]  # the device-seconds attributed to each set, and those that the server used


def figures() -> dict[str, float | int]:
    """The figures of money."""
    return {**attribution(), **overshoot()}


def attribution() -> dict[str, float]:
    """How far a set's device-seconds together are from those alone, and all attributed ones from what was used.

    At the fake server, whose pace does not depend on what else the machine does.
    """
    with TemporaryDirectory() as folder:
        told = {name: _paced(Store.at(f"{folder}/{name}", create=True), sets) for name, sets in RUNS.items()}
    return compared(told)


def compared(told: Mapping[str, Lived]) -> dict[str, float]:
    """The two errors, of the lives of three servers."""
    alone = {name: told[name][0][name] for name in SETS}
    off = [abs(told["both"][0][name] / alone[name] - 1) for name in SETS]
    sums = [abs(sum(sets.values()) / used - 1) for sets, used in told.values()]
    return {"attributed_error": max(off), "attributed_sum_error": max(sums)}


def measured(run: str) -> Lived:
    """The same of a real server's life, kept: it takes a minute and a half, on a machine that does nothing else."""
    place = FOLDER / run
    result = place / "result.json"
    if not result.is_file():
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(json.dumps(_lived(Store.at(str(place / f"store-{time.time():.0f}"), create=True), RUNS[run])))
    sets, used = json.loads(result.read_text())
    return sets, used


def _paced(store: Store, sets: Iterable[str]) -> Lived:
    """Have the fake server answer these sets, all at once: each word of an answer takes it as long as any other."""
    fake = FakeServer(say=_words, seconds=lambda prompt, seed: PACE * len(_words(prompt, seed).split()))
    with on_socket(fake, slots=SLOTS) as served:
        now = time.time()
        told = {"server": "fake", "replica": 0, "host": "here", "models": ("teacher",), "unit": "GPU", "devices": 1}
        life = ServerLife.model_validate({**told, "began": now, "seen": now})
        lease = {"model": "teacher", "identity": "org/teacher@fake", "replica": 0, "pid": 1, "renewed": 0}
        renew(store, Lease.model_validate({**lease, "url": served.url, "host": "here", "server": "fake"}))
        with Meter(store, life, _Gauged(served.url), look=0.1):
            given = _all_asked(store, FAKE, sets)
    (known,) = lives(store)
    return {name: _seconds(known, facts) for name, facts in given.items()}, known.used


class _Gauged:
    """A server whose load is read over HTTP, as a real one's is."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False)

    def gauges(self) -> Gauges | None:
        """What it says just now."""
        return parse_metrics(self._http.get("/metrics").raise_for_status().text)


def _words(prompt: str, seed: int) -> str:
    """Short answers to short questions, long ones to the others."""
    draw = random.Random(f"{prompt} {seed}")
    return "word " * (draw.randint(20, 60) if prompt.count("Calculate") == 1 else draw.randint(60, 180))


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
    """By what share of the requests in flight a limit is overshot; negative: it was not reached."""
    fake = FakeServer(say=lambda prompt, seed: " ".join(["word"] * WORDS))
    with TemporaryDirectory() as folder, on_socket(fake, slots=CLIENTS * IN_FLIGHT, seconds=0.2) as served:
        store = Store.at(f"{folder}/store", create=True)
        clients = [_client(store, served.url, number) for number in range(CLIENTS)]
        time.sleep(3.0)
        clients[0].send_signal(signal.SIGKILL)
        clients[0].wait()
        clients.append(_client(store, served.url, 0))
        for client in clients:
            client.wait()
    spent = len(fake.generated) * WORDS
    return {"cost_limit_overshoot": (spent - LIMIT) / WORDS / (CLIENTS * IN_FLIGHT)}


def _client(store: Store, url: str, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.help.money", "client", store.root, url, str(number)])


def _ask_until_spent(root: str, url: str, number: str) -> None:
    """One client, in a process of its own."""
    api = {"url": url, "model": "there", "price": {"input": 0, "output": 1e6}}
    model = Model.model_validate({"name": "hosted", "api": api, "serve": {"concurrency": IN_FLIGHT}})
    machine = Resources(workers=1, environment={}, cost=CostLimit(LIMIT, "USD"))
    asks = [
        Ask("/v1/chat/completions", {"messages": [{"role": "user", "content": f"{number} {n}"}]}) for n in range(500)
    ]
    try:
        Feed(model, Store.at(root), machine, number).answers(asks)
    except LimitSpent as spent:
        print(f"client {number}: {spent}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        _ask_until_spent(*sys.argv[2:])
    elif sys.argv[1:]:
        print(*(f"{name}: {measured(name)}" for name in sys.argv[1:]), sep="\n")
    else:
        print(json.dumps({"fake": figures(), "real": compared({name: measured(name) for name in RUNS})}))
