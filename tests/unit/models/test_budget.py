"""The money of a run: one limit for all models, never overshot by more than what flies, and nothing lost at the end."""

from __future__ import annotations

import math
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.asks import ask
from tracemill.engine.keys import keys_below, samples_root
from tracemill.engine.resources import CostLimit, Resources
from tracemill.engine.store import Store
from tracemill.errors import LimitSpent, StoreError
from tracemill.models.budget import Budget, counted, say_limit
from tracemill.models.costs import ServerLife, write
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import Lease, renew
from tracemill.models.model import Model
from tracemill.models.prices import Price, amount
from tracemill.models.purse import Purse
from tracemill.models.samples import SampleStore
from tracemill.models.session import Feed
from tracemill.models.transport import Response

TEN = CostLimit(10.0, "USD", {"tiny": 3600.0})  # a dollar for each second of a device


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def hosted(name: str = "r1", url: str = "http://fake/v1", **serve: Any) -> Model:
    """A model of which each word of an answer costs a dollar."""
    api = {"url": url, "model": "there", "price": {"input": 0, "output": 1e6}}
    return Model.model_validate({"name": name, "api": api, "serve": serve})


def purse(store: Store, name: str = "r1") -> Purse:
    api = hosted(name).api
    assert api is not None
    return Purse(store, name, api)


def life(**more: Any) -> ServerLife:
    now = time.time()
    given = {"server": "s", "models": ("tiny",), "replica": 0, "host": "h", "unit": "GPU", "devices": 2}
    return ServerLife.model_validate({**given, "began": now - 3, "seen": now, "ended": True, **more})


@dataclass
class Uncounted:
    """A server that does not say how many tokens its answers took."""

    server: FakeServer

    async def post(self, url: str, *rest: Any) -> Response:
        answer = await self.server.post(url, *rest)
        answer.data.pop("usage", None)
        return answer

    async def get(self, url: str, headers: Mapping[str, str]) -> Response:
        return await self.server.get(url, headers)


def settled(store: Store, cost: CostLimit = TEN) -> Budget:
    budget = Budget(store, cost)
    budget.settle()
    return budget


def test_tokens_of_all_models_and_all_that_servers_held_count_together(store: Store) -> None:
    for name, words in (("r1", 1), ("r2", 2)):
        one = purse(store, name)
        one.pay(0, words, time.monotonic())
        one.write()
    write(store, life())
    assert settled(store).spent() == pytest.approx(1 + 2 + 2 * 3)
    settled(store).check()
    write(store, life(server="t", devices=1, began=time.time() - 1))
    with pytest.raises(LimitSpent, match=r"cost_limit of 10 USD is reached \(10.00 spent\).*--limit MORE") as raised:
        settled(store).check()
    assert (raised.value.limit, raised.value.model) == (10.0, "")


def test_a_server_that_lives_costs_more_with_each_second_and_one_that_was_killed_does_not(store: Store) -> None:
    write(store, life(ended=False))
    living = settled(store)
    before = living.spent()
    time.sleep(0.1)
    assert living.spent() >= before + 0.2
    write(store, life(ended=False, began=time.time() - 1003, seen=time.time() - 1000))
    assert settled(store).spent() == pytest.approx(2 * (3 + 10), abs=0.1)


def test_a_model_without_a_price_costs_nothing_that_is_known(store: Store) -> None:
    write(store, life(models=("free",)))
    assert settled(store).spent() == 0


@pytest.mark.parametrize(
    ("price", "models", "spent"),
    [
        pytest.param({"gpu_hour": 7200}, ("gone",), 12, id="a model that the recipe asks no more"),
        pytest.param({"gpu_hour": 7200}, ("tiny",), 6, id="one that has a new price"),
        pytest.param({"gpu_hour": 7200, "currency": "EUR"}, ("gone",), 0, id="in another currency"),
        pytest.param(None, ("gone",), 0, id="nobody said what it cost"),
    ],
)
def test_what_a_server_cost_is_not_forgotten_with_its_model(
    store: Store, price: dict[str, Any] | None, models: tuple[str, ...], spent: float
) -> None:
    """Trap: a model with another name, or another judge, and the limit began anew."""
    write(store, life(models=models, price=price))
    assert settled(store).spent() == pytest.approx(spent)


def test_what_is_said_for_a_store_goes_before_the_recipe(store: Store) -> None:
    one = purse(store)
    one.pay(0, 12, time.monotonic())
    one.write()
    say_limit(store, 20.0)
    settled(store).check()
    settled(store, CostLimit(None, "USD")).check()
    say_limit(store, 12.0)
    with pytest.raises(LimitSpent, match="cost_limit of 12 USD"):
        settled(store, CostLimit(None, "USD")).check()


def test_a_note_that_is_being_replaced_is_known_as_it_was_and_read_at_the_next_look(store: Store) -> None:
    """Trap: where a note was not there for a moment, all that its client had spent was forgotten for good."""
    one = purse(store)
    one.pay(0, 7, time.monotonic())
    one.write()
    (key,) = keys_below(store, "clients")
    budget = settled(store)
    text = store.read_bytes(key)

    class Replacing(Store):
        def read_bytes(self, name: str) -> bytes:
            if name == key:
                raise FileNotFoundError(name)
            return super().read_bytes(name)

    away = Replacing(store.fs, store.root)
    budget._store = away
    budget.settle()
    assert budget.spent() == 7
    late = Budget(away, TEN)
    late.settle()
    late._store = store
    late.settle()
    assert (late.spent(), store.read_bytes(key)) == (7, text)


@pytest.mark.parametrize("text", [b"", b"{}", b"null", b'{"at": 1, "spent": "much"}'])
@pytest.mark.parametrize("key", ["clients/r1/0.json", "costs/limit.json"])
def test_what_does_not_say_how_much_it_is_ends_the_asking(store: Store, key: str, text: bytes) -> None:
    """Trap: a damaged note counted as nothing spent, and a damaged limit as none."""
    store.write_bytes(key, text)
    with pytest.raises(StoreError, match=key):
        settled(store)


@pytest.mark.parametrize("words", ["word " * 3000, "\u4e2d" * 3000], ids=["English", "Chinese"])
def test_what_a_provider_does_not_count_is_paid_for_by_all_of_its_bytes(store: Store, words: str) -> None:
    """Trap: of a prompt of a hundred thousand letters the first four thousand were counted."""
    server = FakeServer(say=lambda prompt, seed: words)
    api = {"url": "http://fake/v1", "model": "there", "price": {"input": 1e6, "output": 1e6}}
    machine = Resources(workers=1, environment={}, transport=Uncounted(server))
    feed = Feed(Model.model_validate({"name": "r1", "api": api}), store, machine, "near")
    feed.answers([ask(words)])
    least = 2 * len(words) // 5  # tokens, if each has five letters
    assert least < settled(store, CostLimit(1e9, "USD")).spent() < 4 * len(words.encode()) / 3
    assert feed.money is None, "what nobody counted has no price"


@pytest.mark.parametrize("seed", range(20))
def test_clients_that_hear_of_each_other_late_overshoot_by_what_flies(store: Store, seed: int) -> None:
    """Trap: each of eight clients looks now and then, and spends between two looks as if the rest were its own."""
    draw = random.Random(seed)
    limit = CostLimit(100.0, "USD")
    clients = [(purse(store), Budget(store, limit)) for _ in range(8)]
    flying: dict[int, list[Any]] = {n: [] for n in range(8)}
    new = set(range(8))
    for _ in range(4000):
        number = draw.randrange(8)
        own, budget = clients[number]
        if number in new or draw.random() < 0.05:
            new.discard(number)
            own.settle()
            budget.settle(own)
        elif flying[number] and draw.random() < 0.5:
            flying[number].pop().__exit__(None, None, None)
            own.pay(0, 1, 0.0)
        elif len(flying[number]) < 6 and budget.spent(own) < 100 and budget.affords(own, own.worth(ask("p"))):
            held = own.holding(own.worth(ask("p")))
            held.__enter__()
            flying[number].append(held)
    in_flight = sum(map(len, flying.values()))
    spent = sum(own.spent for own, _ in clients)
    assert spent + in_flight <= 100 + 8, "each client has one request beyond its share at most"
    assert spent + in_flight >= 80, "and the money is used"


@pytest.mark.server
@pytest.mark.parametrize("concurrency", [1, 8])
def test_what_flies_when_the_money_ends_is_waited_for_and_kept(store: Store, concurrency: int) -> None:
    """Trap: the first request that is refused money ends the others, which are paid for all the same."""
    with on_socket(FakeServer(say=lambda prompt, seed: "one two three four"), seconds=0.05) as served:
        model = hosted(url=served.url, concurrency=concurrency)
        machine = Resources(workers=1, environment={}, cost=CostLimit(40.0, "USD"))
        with pytest.raises(LimitSpent):
            Feed(model, store, machine, "near").answers([ask(f"p{n}") for n in range(64)])
        paid = len(served.fake.generated)
        assert 10 <= paid <= 11
        assert served.dropped == 0
        with pytest.raises(LimitSpent):  # reached before anything is asked
            Feed(model, store, machine, "near").answers([ask(f"p{n}") for n in range(64)])
        assert len(served.fake.generated) == paid
        say_limit(store, 1000.0)
        Feed(model, store, machine, "near").answers([ask(f"p{n}") for n in range(64)])
        assert len(served.fake.generated) == 64, "none is asked for twice"


@pytest.mark.server
def test_devices_that_cost_too_much_end_the_asking_and_lose_nothing(store: Store) -> None:
    """Trap: money that time costs is spent while requests fly; they are waited for, and no others go out."""
    model = Model.model_validate(
        {"name": "tiny", "weights": "org/tiny", "revision": "abc", "serve": {"concurrency": 4}}
    )
    with on_socket(FakeServer(), slots=4, seconds=0.1) as served:
        renew(
            store, Lease(model="tiny", identity="org/tiny@abc", replica=0, url=served.url, host="h", pid=1, renewed=0)
        )
        write(store, life(ended=False, began=time.time(), devices=1))
        machine = Resources(workers=1, environment={}, cost=replace(TEN, most=0.8))
        with pytest.raises(LimitSpent):
            Feed(model, store, machine, "near").answers([ask(f"p{n}") for n in range(400)])
        samples = SampleStore(samples_root(store, machine), "org/tiny@abc")
        kept = sum(
            len(samples.find([ask(f"p{n}").key("org/tiny@abc")], "near")) for n in range(len(served.fake.generated))
        )
        assert kept == len(served.fake.generated)
        assert 4 <= kept <= 60
        assert served.dropped == 0


KILLED = """
import os, signal, sys
from tests.unit.models.test_budget import ask, hosted
from tracemill.engine.resources import CostLimit, Resources
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer
from tracemill.models.session import Feed

def say(prompt, seed):
    if len(server.generated) > 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return "one two"

server = FakeServer(say=say)
machine = Resources(workers=1, environment={}, transport=server, cost=CostLimit(1000.0, "USD"))
Feed(hosted(concurrency=4), Store.at(sys.argv[1]), machine, "near").answers([ask(f"p{n}") for n in range(60)])
"""


@pytest.mark.slow
def test_what_a_killed_client_left_is_counted_and_nothing_twice(store: Store) -> None:
    """Trap: an answer that was stored a moment before its cost was written would cost nobody anything."""
    killed = subprocess.run([sys.executable, "-c", KILLED, store.root], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    identity = hosted().identity(Resources(environment={}), store)
    keys = [ask(f"p{n}").key(identity) for n in range(60)]
    kept = len(SampleStore(samples_root(store, Resources(environment={})), identity).find(keys, "near"))
    assert 30 - 4 <= kept <= 30
    left = settled(store).spent()
    assert 2 * kept <= left <= 2 * 30
    server = FakeServer(say=lambda prompt, seed: "one two")
    machine = Resources(workers=1, environment={}, transport=server, cost=CostLimit(1000.0, "USD"))
    Feed(hosted(), store, machine, "near").answers([ask(f"p{n}") for n in range(60)])
    assert settled(store).spent() == left + 2 * (60 - kept)


@pytest.mark.parametrize(
    ("models", "why"),
    [
        pytest.param([], "never be reached", id="a recipe that asks nobody"),
        pytest.param([{"name": "a", "weights": "./w"}], "never be reached", id="no price"),
        pytest.param(
            [
                {"name": "a", "weights": "./w", "serve": {"price": {"gpu_hour": 2}}},
                {"name": "b", "weights": "./v", "serve": {"price": {"gpu_hour": 2, "currency": "EUR"}}},
            ],
            "EUR and USD",
            id="two currencies",
        ),
    ],
)
def test_a_limit_that_cannot_be_counted_is_refused(models: list[dict[str, Any]], why: str) -> None:
    asked = [Model.model_validate(one) for one in models]
    counted(asked, None)
    with pytest.raises(ValueError, match=why):
        counted(asked, 10.0)


@pytest.mark.parametrize(
    ("price", "why"),
    [
        pytest.param(
            {"input": 5.5e-7, "output": 2.19e-6}, "seems to be the price of one: give 0.55", id="of one token"
        ),
        pytest.param({"input": 0.55, "output": 2.19e-6}, "give 2.19", id="one of both"),
        pytest.param({"input": -1, "output": 1}, "greater than or equal to 0", id="below zero"),
        pytest.param({"input": math.inf, "output": 1}, "finite", id="no end"),
        pytest.param({"input": math.nan, "output": 1}, "finite", id="no number"),
        pytest.param({"input": 1}, "output", id="one alone"),
    ],
)
def test_a_price_that_cannot_be_meant_is_refused(price: dict[str, float], why: str) -> None:
    """Trap: some catalogues list the price of one token; a limit by it is reached after a million times the money."""
    with pytest.raises(ValidationError, match=why):
        Price.model_validate(price)


def test_a_hosted_model_may_be_free_or_cheap() -> None:
    assert not Price(input=0, output=0).is_any
    assert Price(input=0.005, output=0.01).of(10**6, 10**6) == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("money", "told"), [(0, "0.00"), (2.5e-5, "2.5e-05"), (0.01234, "0.0123"), (1, "1.00"), (12345.678, "12,345.68")]
)
def test_a_small_sum_is_not_shown_as_none(money: float, told: str) -> None:
    assert amount(money) == told
