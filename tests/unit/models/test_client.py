"""The client and the feed: what is retried, what is given up, what survives."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.build.asks import ask, model
from tests.build.shard import resources
from tracemill.engine.keys import samples_root
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServerGone, ServingError, StoreError
from tracemill.models.client import Client
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fleet import Fleet
from tracemill.models.lease import Lease, live_leases, renew, want, wanted, withdraw
from tracemill.models.request import Refusal, Reply
from tracemill.models.samples import SampleStore
from tracemill.models.session import Feed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def answer(store: Store, server: FakeServer, **serve: Any) -> Reply | Refusal:
    async def go() -> Reply | Refusal:
        async with Client(Fleet(model(**serve), store, resources(server)), server) as client:
            return await client.ask(ask())

    return asyncio.run(go())


@pytest.mark.parametrize("fault", [500, 502, 503, 429, "reset", "garbage", "empty"])
def test_a_fault_of_the_server_is_tried_again(store: Store, fault: int | str) -> None:
    server = FakeServer(faults={1: fault, 2: fault}, wait=0.05)
    assert isinstance(answer(store, server), Reply)
    assert len(server.requests) == 3


def test_a_400_is_the_rows_own_fault_and_not_tried_again(store: Store) -> None:
    server = FakeServer(faults={1: 400})
    assert answer(store, server) == Refusal("refused", "fault 400 on command")
    assert len(server.requests) == 1


def test_a_server_that_stays_away_is_one_error_with_a_remedy(store: Store) -> None:
    server = FakeServer(faults=dict.fromkeys(range(1, 99), 503))
    with pytest.raises(ServingError, match=r"no server answered for 0 s .*HTTP 503.*clear this task"):
        answer(store, server, patience=0.01)


def test_a_wrong_key_is_not_tried_again(store: Store) -> None:
    server = FakeServer(faults={1: 401})
    with pytest.raises(RecipeError, match="key is missing or wrong"):
        answer(store, server)
    assert len(server.requests) == 1


def test_no_answer_is_lost_when_the_server_goes_half_way(store: Store) -> None:
    machine = resources(FakeServer(faults=dict.fromkeys(range(21, 999), 503)))
    asks = [ask(f"prompt {n}") for n in range(40)]
    with pytest.raises(ServingError):
        Feed(model(patience=0.3, concurrency=8), store, machine, "near").answers(asks)
    second = FakeServer()
    feed = Feed(model(), store, resources(second), "near")
    assert all(isinstance(found, Reply) for found in feed.answers(asks))
    assert len(second.requests) == 20
    assert (feed.spent.reused, feed.spent.paid) == (20, 20)


def test_a_store_that_cannot_be_written_stops_the_feed_instead_of_hanging(store: Store) -> None:
    (Path(store.root) / "samples").write_text("not a folder")
    with pytest.raises(StoreError):
        Feed(model(), store, resources(FakeServer()), "near").answers([ask()])


def test_equal_asks_are_paid_once(store: Store) -> None:
    server = FakeServer()
    found = Feed(model(), store, resources(server), "near").answers([ask(), ask(), ask("other")])
    assert found[0] == found[1] != found[2]
    assert len(server.requests) == 2


def test_no_more_is_in_flight_than_allowed(store: Store) -> None:
    class Counting(FakeServer):
        """Remembers how many requests it held at once at most."""

        now, most = 0, 0

        async def post(self, url: str, *rest: Any) -> Any:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.002)
            self.now -= 1
            return await super().post(url, *rest)

    server = Counting()
    Feed(model(concurrency=7), store, resources(server), "near").answers([ask(f"p{n}") for n in range(50)])
    assert 4 <= server.most <= 7


KILLED = """
import os, signal, sys
from tracemill.engine.resources import Resources
from tracemill.models.fake import FakeServer
from tests.build.asks import ask, model
from tests.build.shard import resources
from tracemill.models.session import Feed
from tracemill.engine.store import Store
class Deadly(FakeServer):
    async def post(self, url, *rest):
        if len(self.requests) == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().post(url, *rest)
feed = Feed(model(concurrency=8), Store.at(sys.argv[1]), resources(Deadly()), "near")
feed.answers([ask(f"p{n}") for n in range(40)])
"""


def test_a_killed_client_loses_only_what_was_in_flight(store: Store) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, store.root], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    server = FakeServer()
    Feed(model(concurrency=8), store, resources(server), "near").answers([ask(f"p{n}") for n in range(40)])
    assert 40 - 30 <= len(server.requests) <= 40 - 30 + 8


def test_the_client_follows_a_lease_to_the_next_server(store: Store) -> None:
    """The first server dies after three answers; its successor has another port and the same replica number."""
    lease = Lease(model="tiny", identity="org/tiny@abc", replica=0, url="http://old", host="h", pid=1, renewed=0)
    renew(store, lease)

    class Moving(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            if "//old" in url and len(self.generated) >= 3:
                renew(store, lease.model_copy(update={"url": "http://new", "pid": 2}))
                return await FakeServer(faults={1: "reset"}).post(url, *rest)
            return await super().post(url, *rest)

    server = Moving()
    machine = Resources(workers=1, environment={}, transport=server)
    found = Feed(model(concurrency=2), store, machine, "near").answers([ask(f"p{n}") for n in range(8)])
    assert all(isinstance(reply, Reply) for reply in found)


def test_a_server_that_left_and_does_not_come_back_is_gone_but_its_answers_are_kept(store: Store) -> None:
    """Trap: under Airflow the next server may be waiting for the very worker that waits for it here."""
    lease = Lease(model="tiny", identity="org/tiny@abc", replica=0, url="http://old", host="h", pid=1, renewed=0)
    renew(store, lease)

    class Leaving(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            if len(self.generated) >= 3:
                withdraw(store, lease)
                return await FakeServer(faults={1: "reset"}).post(url, *rest)
            return await super().post(url, *rest)

    machine = Resources(workers=1, environment={}, transport=Leaving(), away=0.5)
    asks = [ask(f"p{n}") for n in range(8)]
    with pytest.raises(ServerGone, match="'tiny': its server left"):
        Feed(model(concurrency=1), store, machine, "near").answers(asks)
    server = FakeServer()
    renew(store, lease)
    Feed(model(concurrency=1), store, replace(machine, transport=server), "near").answers(asks)
    assert len(server.generated) == 5


def test_leases_count_only_while_renewed_and_for_the_same_weights(store: Store) -> None:
    lease = renew(store, Lease(model="tiny", identity="a", replica=0, url="u", host="h", pid=1, renewed=0))
    assert [found.url for found in live_leases(store, "tiny", "a")] == ["u"]
    assert live_leases(store, "tiny", "b") == []
    store.write_bytes(lease.key, lease.model_copy(update={"renewed": lease.renewed - 3600}).model_dump_json().encode())
    assert live_leases(store, "tiny", "a") == []


def test_a_server_that_leaves_does_not_take_its_successors_lease(store: Store) -> None:
    old = renew(store, Lease(model="tiny", identity="a", replica=0, url="u", host="h", pid=1, renewed=0))
    new = renew(store, old.model_copy(update={"pid": 2}))
    withdraw(store, old)
    assert [lease.pid for lease in live_leases(store, "tiny", "a")] == [2]
    withdraw(store, new)
    assert live_leases(store, "tiny", "a") == []


def test_who_waits_for_a_model_says_so(store: Store) -> None:
    assert not wanted(store, "tiny")
    want(store, "tiny")
    assert wanted(store, "tiny")
    assert not wanted(store, "other")


def test_endpoints_that_are_no_endpoints_are_named_without_their_secrets(store: Store) -> None:
    machine = Resources(workers=1, environment={ENDPOINTS: '{"tiny": [{"url": 7, "key": "s3cret"}]}'})
    with pytest.raises(RecipeError, match=r"tiny\.0\.url") as caught:
        Fleet(model(), store, machine)
    assert "s3cret" not in str(caught.value)


def test_a_key_of_the_environment_is_taken_without_its_line_end_and_never_repeated(store: Store) -> None:
    def named(key: str) -> Resources:
        return Resources(environment={ENDPOINTS: json.dumps({"tiny": [{"url": "http://a", "model": "m", "key": key}]})})

    [endpoint] = Fleet(model(), store, named("s3cret\r\n")).endpoints
    assert endpoint.headers == {"Authorization": "Bearer s3cret"}
    for wrong in ("s3cret\u201d", "s3cret\nX: y"):
        with pytest.raises(RecipeError, match="characters that no key has") as raised:
            Fleet(model(), store, named(wrong))
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("place", "expected"),
    [("samples", "root/samples"), ("../../samples", "samples"), ("../shared", "shared")],
)
def test_the_sample_store_may_be_shared_between_stores(tmp_path: Path, place: str, expected: str) -> None:
    store = Store.at(str(tmp_path / "a" / "root"), create=True)
    found = samples_root(store, Resources(environment={"TRACEMILL_SAMPLES": place}))
    assert found.root.endswith(expected)
    SampleStore(found, "w").add({ask().key("w"): Reply("x")}, "near")
