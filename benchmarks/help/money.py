"""How well device-seconds are attributed, and how far a limit of money is overshot.

Attribution is measured at real servers of a zoo model: two sets of problems, each alone and both together, each in a
server's life of its own. The limit is measured at the shipped fake server, by what it answered in all: four clients in
processes of their own, of which one is killed and comes again.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.serving.workload import PROJECT, SLOTS, ZOO, question
from tracemill.engine.resources import CostLimit, Resources
from tracemill.engine.store import Store
from tracemill.errors import LimitSpent
from tracemill.models.costs import ServerLife, lives
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import answering
from tracemill.models.model import Model
from tracemill.models.request import Ask
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


def figures() -> dict[str, float | int]:
    """The figures of money; what real servers measured is kept, so that a killed bench goes on."""
    return {**attribution(FOLDER), **overshoot(FOLDER)}


def attribution(folder: Path) -> dict[str, float]:
    """How far a set's device-seconds together are from those alone, and all attributed ones from what was used."""
    told = {name: measured(folder, name) for name in RUNS}
    alone = {name: told[name][0][name] for name in SETS}
    off = [abs(told["both"][0][name] / alone[name] - 1) for name in SETS]
    sums = [abs(sum(sets.values()) / used - 1) for sets, used in told.values()]
    return {"attributed_error": max(off), "attributed_sum_error": max(sums)}


def measured(folder: Path, run: str) -> tuple[dict[str, float], float]:
    """The device-seconds attributed to each set of one server's life, and those that it used."""
    place = folder / run
    result = place / "result.json"
    if not result.is_file():
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(json.dumps(_lived(Store.at(str(place / f"store-{time.time():.0f}"), create=True), RUNS[run])))
    sets, used = json.loads(result.read_text())
    return sets, used


def _lived(store: Store, sets: Iterable[str]) -> tuple[dict[str, float], float]:
    """Have one server answer these sets, all at once."""
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
            asked = {name: threads.submit(_asked, store, name) for name in sets}
            given = {name: future.result() for name, future in asked.items()}
        finally:
            over.set()
        life.result()
    (known,) = lives(store)
    return {name: _seconds(known, facts) for name, facts in given.items()}, known.used


def _asked(store: Store, name: str) -> dict[str, list[int]]:
    """Ask one set; what each server answered of it."""
    noted: dict[str, Any] = {}
    machine = Resources(workers=1, made_with=noted)
    Feed(_teacher(), store, machine, name).answers([_ask(name, number) for number in range(ANSWERS)])
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


def overshoot(folder: Path) -> dict[str, float]:
    """By what share of the requests in flight a limit is overshot; negative: it was not reached."""
    store = Store.at(str(folder / f"limit-{time.time():.0f}"), create=True)
    fake = FakeServer(say=lambda prompt, seed: " ".join(["word"] * WORDS))
    with on_socket(fake, slots=CLIENTS * IN_FLIGHT, seconds=0.2) as served:
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
        print(*(f"{name}: {measured(FOLDER, name)}" for name in sys.argv[1:]), sep="\n")
    else:
        print(json.dumps(figures()))
