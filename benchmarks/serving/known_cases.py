"""The cases of public reports that the project was first measured with (../cases/serving.jsonl beside TRACEMILL_DATA),
each rebuilt against the product. What only a real engine or a real Airflow can show is measured by the other parts of
this benchmark and by tests/integration; here the part of it is tried that needs neither.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.serving import mishaps, wire
from benchmarks.serving.known_settings import CHECKS, MODEL, Check, case, raises
from benchmarks.serving.wire_cases import WIRE_CASES, made_of
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, TracemillError
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import leave_word
from tracemill.models.model import Model
from tracemill.models.request import Answer, Refusal, Reply
from tracemill.models.session import Feed
from tracemill.text.think import split


def asked(fake: FakeServer, count: int = 1, slots: int = 64, seconds: float = 0.0, **serve: Any) -> list[Answer]:
    """The answers to so many prompts over a real socket."""
    with tempfile.TemporaryDirectory() as folder, on_socket(fake, slots=slots, seconds=seconds) as served:
        model = Model.model_validate({**MODEL, "serve": {"patience": 20, **serve}})
        named = json.dumps({"m": [{"url": served.url, "model": "m"}]})
        feed = Feed(model, Store.at(folder, create=True), Resources(workers=1, environment={ENDPOINTS: named}), "near")
        return feed.answers(wire.asks(count))


def over_the_wire(*names: str) -> bool:
    """Whether these cases of wire_cases are right."""
    found = [case for case in WIRE_CASES if case.name in names]
    return len(found) == len(names) and all(made_of(one) == (one.right, one.requests) for one in found)


def texts(answers: list[Answer]) -> list[str]:
    """The texts of those that are answers."""
    return [one.text for one in answers if isinstance(one, Reply)]


@case("0002", "0003")
def broken_off(given: str) -> bool:
    reason = given.rsplit("'", 2)[1]
    fake = FakeServer(faults={1: {"finish_reason": reason}})
    (found,) = asked(fake)
    return isinstance(found, Reply) and found.finish_reason == "stop" and len(fake.requests) == 2


@case("0004", "0016")
def cut(_given: str) -> bool:
    found = [asked(FakeServer(faults={1: {"finish_reason": reason}}))[0] for reason in ("repetition", "length")]
    return [getattr(one, "finish_reason", None) for one in found] == ["repetition", "length"]


@case("0006")
def poison(_given: str) -> bool:
    found = asked(FakeServer(poison="problem 13"), 20)
    return len(texts(found)) == 19 and [one.reason for one in found if isinstance(one, Refusal)] == ["poison"]


@case("0007", "0008", "0009")
def same_refusal(_given: str) -> bool:
    fake = FakeServer(faults=dict.fromkeys(range(1, 99), 400))
    return raises(RecipeError, lambda: asked(fake, 50, concurrency=4)) and len(fake.requests) < 15


@case("0010", "0011", "0012")
def forms(_given: str) -> bool:
    return over_the_wire("half a character", "content in parts", "usage null")


@case("0014")
def thought_alone(_given: str) -> bool:
    return over_the_wire("thought alone") and split("<think>The user asks").style == "unclosed"


@case("0021")
def storm(_given: str) -> bool:
    fake = FakeServer(faults=dict.fromkeys(range(1, 65), 429), wait=1.0)
    began = time.monotonic()
    return len(texts(asked(fake, 64))) == 64 and time.monotonic() - began >= 1.0 and len(fake.requests) <= 64 + 64 + 8


@case("0024")
def mixed_up(_given: str) -> bool:
    found = texts(asked(FakeServer(), 400, slots=50, seconds=0.02, concurrency=50))
    return len(found) == 400 and all(f"problem {n}\n" in text for n, text in enumerate(found))


@case("0033", "0066")
def queues(_given: str) -> bool:
    found = asked(FakeServer(), 100, slots=4, seconds=0.08, concurrency=64, silence=0.5)
    return len(texts(found)) == 100


@case("0035")
def vanished(_given: str) -> bool:
    return mishaps.recovery()["recovery_s"] < 30


@case("0036")
def crowd(_given: str) -> bool:
    return len(texts(asked(FakeServer(), 3000, slots=3000, concurrency=3000))) == 3000


@case("0054")
def resumed(_given: str) -> bool:
    return mishaps.killed_client()["paid_twice_rerun"] <= mishaps.KILLED_IN_FLIGHT


@case("0058")
def cheap(_given: str) -> bool:
    return wire.client_cost()["client_ms_per_answer"] <= 1.5


@case("0060")
def interrupted(_given: str) -> bool:
    return mishaps.interrupted_client() == 130


@case("0062", "0063")
def too_long(_given: str) -> bool:
    found = asked(FakeServer(context=2, say=lambda prompt, seed: "a b"), 1)
    long = FakeServer(context=1)
    return len(texts(found)) == 1 and [one.reason for one in asked(long) if isinstance(one, Refusal)] == ["too_long"]


@case("0064", "0065")
def word_is_left(_given: str) -> bool:
    """The client's half: it fails within seconds with the server's words. The run's end is run_ends_after_s."""
    with tempfile.TemporaryDirectory() as folder:
        store, began = Store.at(folder, create=True), time.monotonic()
        feed = Feed(Model.model_validate(MODEL), store, Resources(workers=1, environment={}), "near")
        threading.Timer(0.5, leave_word, (store, "m", RecipeError("no such flag")), {"final": True}).start()
        return raises(RecipeError, lambda: feed.answers(wire.asks(2))) and time.monotonic() - began < 10


@case("0069")
def no_balance(_given: str) -> bool:
    return over_the_wire("no balance")


def known_cases() -> list[dict[str, Any]] | None:
    """The cases of the file, or None (and a word why) where it is not there."""
    data = os.environ.get("TRACEMILL_DATA")
    path = Path(data or "").parent / "cases" / "serving.jsonl"
    if not data or not path.is_file():
        print(
            f"the cases of public reports are left out: {path} is not there (TRACEMILL_DATA names the data beside it)"
        )
        return None
    return [json.loads(line) for line in path.read_text().splitlines()]


def wrong_known_cases(cases: list[dict[str, Any]]) -> Iterator[str]:
    """The names of the cases that are not right, with what was raised."""
    memory: dict[Check, bool | str] = {}
    for one in cases:
        check = CHECKS.get(one["id"])
        if check is None:
            yield f"{one['id']}: nobody has rebuilt it"
            continue
        if check not in memory or check.__name__ in _BY_INPUT:
            try:
                memory[check] = check(one["input"])
            except TracemillError as error:
                memory[check] = f"{type(error).__name__}: {error}"
        if memory[check] is not True:
            yield f"{one['id']} ({check.__name__}): {memory[check]}"


_BY_INPUT = {"broken_off", "text_changing_flag", "told_to_the_user", "tried_again", "cut_judge"}
