"""Servers on real sockets that are full, vanish, stand still or are restarted: no answer is lost, none is given up."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import ServingError, StoreError
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.models.lease import Lease, live_leases, renew, withdraw
from tracemill.models.model import Model, Serve
from tracemill.models.request import Answer, Ask, Reply
from tracemill.models.server.heart import Heart
from tracemill.models.server.metrics import Gauges
from tracemill.models.session import Feed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def model(**serve: object) -> Model:
    return Model(name="tiny", weights="org/tiny", revision="abc", serve=Serve.model_validate(serve))


def asks(count: int) -> list[Ask]:
    return [
        Ask("/v1/chat/completions", {"messages": [{"role": "user", "content": f"p{n}"}], "seed": 1})
        for n in range(count)
    ]


def lease(served: Served, replica: int = 0, pid: int = 1) -> Lease:
    return Lease(
        model="tiny", identity="org/tiny@abc", replica=replica, url=served.url, host="h", pid=pid, renewed=time.time()
    )


def texts(answers: list[Answer]) -> list[str]:
    return [one.text for one in answers if isinstance(one, Reply)]


def named(served: Served) -> Resources:
    return Resources(workers=1, environment={ENDPOINTS: f'{{"tiny": [{{"url": "{served.url}", "model": "tiny"}}]}}'})


@pytest.mark.parametrize("streamed", [True, False])
def test_sixteen_fold_over_subscription_loses_nothing_and_changes_nothing(tmp_path: Path, streamed: bool) -> None:
    """Trap: a clock that runs while a request waits in the server's queue gives up just the long ones."""
    wanted = asks(128)
    with on_socket(FakeServer(), slots=128) as quiet:
        expected = Feed(model(), Store.at(str(tmp_path / "a"), create=True), named(quiet), "near").answers(wanted)
    with on_socket(FakeServer(), slots=8, seconds=0.1) as full:
        store = Store.at(str(tmp_path / "b"), create=True)
        if not streamed:
            renew(store, lease(full))
        machine = named(full) if streamed else Resources(workers=1, environment={})
        found = Feed(model(silence=0.8, concurrency=128), store, machine, "near").answers(wanted)
    assert texts(found) == texts(expected)
    assert len(texts(found)) == 128
    assert len(full.fake.generated) == 128
    assert full.dropped == 0


def test_what_a_vanished_server_held_is_asked_elsewhere_as_soon_as_its_lease_is_gone(store: Store) -> None:
    with on_socket(FakeServer()) as silent, on_socket(FakeServer()) as sound:
        silent.frozen = True
        gone = renew(store, lease(silent))
        renew(store, lease(sound, replica=1))
        threading.Timer(1.0, withdraw, (store, gone)).start()
        began = time.monotonic()
        found = Feed(model(), store, Resources(workers=1, environment={}), "near").answers(asks(16))
        silent.frozen = False
    assert len(texts(found)) == 16
    assert time.monotonic() - began < 40  # by far less than the silence of ten minutes


def test_an_endpoint_that_says_nothing_any_more_is_asked_again(store: Store) -> None:
    with on_socket(FakeServer()) as served:
        served.frozen = True
        threading.Timer(2.0, lambda: setattr(served, "frozen", False)).start()
        found = Feed(model(silence=1.0), store, named(served), "near").answers(asks(2))
    assert len(texts(found)) == 2


def test_the_samples_of_one_prompt_go_to_one_server(store: Store) -> None:
    repeated = [Ask(ask.route, {**ask.body, "seed": n}, n) for ask in asks(40) for n in range(4)]
    with on_socket(FakeServer()) as one, on_socket(FakeServer()) as two:
        renew(store, lease(one))
        renew(store, lease(two, replica=1))
        Feed(model(concurrency=16), store, Resources(workers=1, environment={}), "near").answers(repeated)
        prompts = [{r["messages"][0]["content"] for r in served.fake.generated} for served in (one, two)]
    assert len(prompts[0] & prompts[1]) <= 4
    assert min(map(len, prompts)) >= 8


def test_a_long_queue_is_not_made_longer(store: Store) -> None:
    """A server whose lease says that much waits there is left to others as long as there are others."""
    with on_socket(FakeServer()) as full, on_socket(FakeServer()) as free:
        renew(store, lease(full).model_copy(update={"waiting": 5000, "running": 256}))
        renew(store, lease(free, replica=1))
        Feed(model(concurrency=64), store, Resources(workers=1, environment={}), "near").answers(asks(300))
    assert len(full.fake.generated) < 60


class Engine:
    """An engine that a heart listens to."""

    def __init__(self) -> None:
        self.now = Gauges(running=1, generated=5)

    def healthy(self) -> bool:
        return True

    def gauges(self) -> Gauges:
        return self.now


def stands_still(heart: Heart, seconds: float) -> str | None:
    """What the heart says within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            heart.check("tiny")
        except ServingError as error:
            return str(error)
        time.sleep(0.02)
    return None


def test_an_engine_that_stands_still_is_noticed_and_one_that_waits_for_work_is_not(store: Store) -> None:
    engine = Engine()
    bare = Lease(model="tiny", identity="org/tiny@abc", replica=0, url="http://x", host="h", pid=1, renewed=0)
    with Heart(store, bare, engine, beat=0.02, frozen=0.3) as heart:
        assert "stands still" in (stands_still(heart, 10) or "")
        engine.now = Gauges(running=0, generated=5)
        time.sleep(0.5)
        assert stands_still(heart, 0.6) is None
        assert [one.generated for one in live_leases(store, "tiny", "org/tiny@abc")] == [5]
    assert live_leases(store, "tiny", "org/tiny@abc") == []


def test_models_of_one_server_have_a_lease_each_with_its_load(store: Store) -> None:
    bare = Lease(model="tiny", identity="org/tiny@abc", replica=0, url="http://x", host="h", pid=1, renewed=0)
    with Heart(store, [bare, bare.model_copy(update={"model": "small"})], Engine(), beat=0.02):
        time.sleep(0.2)
        loads = [[one.generated for one in live_leases(store, name, "org/tiny@abc")] for name in ("tiny", "small")]
        assert loads == [[5], [5]]
    assert [*live_leases(store, "tiny", "org/tiny@abc"), *live_leases(store, "small", "org/tiny@abc")] == []


def test_a_watch_that_fails_fails_everybody_instead_of_leaving_them_to_wait(store: Store) -> None:
    """Trap: the task that looks after requests may itself die, and then nobody ends a request to a silent server."""
    with on_socket(FakeServer()) as silent:
        silent.frozen = True
        renew(store, lease(silent))
        spoil = threading.Timer(0.5, lambda: Path(store.root, "serving", "tiny").rename(Path(store.root, "gone")))
        block = threading.Timer(0.6, lambda: Path(store.root, "serving", "tiny").write_text("no folder"))
        spoil.start()
        block.start()
        with pytest.raises(StoreError):
            Feed(model(), store, Resources(workers=1, environment={}), "near").answers(asks(2))
        silent.frozen = False
