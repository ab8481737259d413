"""Serve tasks and the stages that wait for them, without a model: who defers, who wakes whom, who ends."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import TaskDeferred

from tests.build.adapter import adapter
from tests.dags.graphs import first_event
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError
from tracemill.models.lease import Lease, live_leases, renew, want, wanted, withdraw
from tracemill.recipe import load_recipe
from tracemill_airflow.endpoints import connection_id, with_connections
from tracemill_airflow.operators.serve import ServeOperator, ServersOperator
from tracemill_airflow.operators.stages import DistillOperator, IngestOperator
from tracemill_airflow.triggers import DemandTrigger, LeaseTrigger

IDENTITY = "org/tiny@abc"


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    """A recipe that distils two shards of a demo source."""
    model = {"name": "tiny", "weights": "org/tiny", "revision": "abc", "serve": {"replicas": 2}}
    data = {
        "name": "served",
        "description": "Two shards to distil.",
        "rows_per_shard": 5,
        "sources": [{"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math", "limit": 10}],
        "steps": {"distill": {"kind": "distill", "teacher": {"kind": "chat", "model": model}}},
    }
    path = tmp_path / "served.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


@pytest.fixture
def store(tmp_path: Path, recipe: str) -> Store:
    """A store in which everything before the distilling is done."""
    store, loaded = Store.at((tmp_path / "store").as_uri(), create=True), load_recipe(recipe)
    run_shard(loaded, store, "plan", 0, Resources(workers=1))
    for shard in (0, 1):
        run_shard(loaded, store, "ingest", shard, Resources(workers=1))
    return store


def url(store: Store) -> str:
    return Path(store.root).as_uri()


def lease(store: Store) -> None:
    renew(
        store, Lease(model="tiny", identity=IDENTITY, replica=0, url="http://127.0.0.1:9", host="h", pid=1, renewed=0)
    )


def test_each_replica_of_each_model_is_a_mapped_instance(recipe: str, store: Store) -> None:
    found = ServersOperator(task_id="servers", recipe=recipe, store_url=url(store)).execute({})
    assert found == [{"model": "tiny", "replica": 0}, {"model": "tiny", "replica": 1}]


@pytest.fixture
def family(tmp_path: Path) -> tuple[str, str]:
    """A recipe in which two adapters of one base distil, and its store, planned."""

    def distill(name: str) -> dict[str, Any]:
        folder = str(adapter(tmp_path / name))
        model = {"name": name, "weights": "org/tiny", "revision": "abc", "engine": {"lora": folder}}
        return {"kind": "distill", "teacher": {"kind": "chat", "model": model}}

    data = {
        "name": "family",
        "description": "Two adapters.",
        "sources": [{"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math", "limit": 4}],
        "steps": {"distill": distill("first"), "distill_more": distill("second")},
    }
    path = tmp_path / "family.yaml"
    path.write_text(yaml.safe_dump(data))
    made = Store.at((tmp_path / "family").as_uri(), create=True)
    run_shard(load_recipe(str(path)), made, "plan", 0, Resources(workers=1))
    return str(path), url(made)


def test_adapters_of_one_base_are_one_mapped_instance_which_either_wakes(family: tuple[str, str]) -> None:
    recipe, where = family
    (server,) = ServersOperator(task_id="servers", recipe=recipe, store_url=where).execute({})
    assert server == {"model": "first", "replica": 0, "others": ["second"]}
    operator = ServeOperator(task_id="serve", recipe=recipe, store_url=where, server=server)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert isinstance(deferred.value.trigger, DemandTrigger)
    _, settings = deferred.value.trigger.serialize()
    want(Store.at(where), "second")
    assert first_event(DemandTrigger(**settings)) == {"state": "wanted"}


def test_a_stage_without_a_server_waits_deferred(recipe: str, store: Store) -> None:
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1])
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert isinstance(deferred.value.trigger, LeaseTrigger)
    assert deferred.value.trigger.models == {"tiny": IDENTITY}
    assert deferred.value.method_name == "work"


def test_a_stage_whose_server_left_gives_its_worker_up(recipe: str, store: Store) -> None:
    """Trap: with as many workers as clients the serve task could never be tried again, and all would wait for ever."""
    lease(store)
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1], away=0.1)
    leaving = threading.Timer(1.0, lambda: [withdraw(store, one) for one in live_leases(store, "tiny", IDENTITY)])
    leaving.start()
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert isinstance(deferred.value.trigger, LeaseTrigger)
    assert deferred.value.method_name == "work"


def test_waiting_wakes_the_serve_task_and_ends_with_the_lease(recipe: str, store: Store) -> None:
    waiting = LeaseTrigger(url(store), {"tiny": IDENTITY}, patience=0)
    assert first_event(waiting) == {"state": "late", "missing": ["tiny"]}
    assert wanted(store, "tiny")
    assert first_event(DemandTrigger(url(store), recipe, "tiny")) == {"state": "wanted"}
    lease(store)
    assert first_event(waiting) == {"state": "ready"}


def test_a_lease_of_other_weights_wakes_nobody(store: Store) -> None:
    lease(store)
    event = first_event(LeaseTrigger(url(store), {"tiny": "org/tiny@another"}, patience=0))
    assert event["state"] == "late"


@pytest.mark.parametrize(("reach", "wakes"), [("0", False), ("1", True)])
def test_a_stage_wakes_the_server_of_one_that_comes_soon_where_that_is_asked_for(
    recipe: str, store: Store, monkeypatch: pytest.MonkeyPatch, reach: str, wakes: bool
) -> None:
    monkeypatch.setenv("TRACEMILL_SERVE_AHEAD", reach)
    IngestOperator(task_id="ingest", recipe=recipe, store_url=url(store), shards=[0]).execute({})
    assert wanted(store, "tiny") is wakes


def test_a_serve_task_gives_its_place_up_until_it_is_wanted(recipe: str, store: Store) -> None:
    operator = ServeOperator(
        task_id="serve", recipe=recipe, store_url=url(store), server={"model": "tiny", "replica": 0}
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert isinstance(deferred.value.trigger, DemandTrigger)
    assert operator.serve({}, {"state": "over"}) == {"why": "nobody needs it"}
    assert (operator.pool, operator.queue) == ("gpu", "gpu")


def test_what_fails_while_waiting_fails_the_task_in_its_own_words(tmp_path: Path, recipe: str, store: Store) -> None:
    event = first_event(LeaseTrigger((tmp_path / "elsewhere").as_uri(), {"tiny": IDENTITY}, patience=0))
    assert event["state"] == "failed"
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0])
    with pytest.raises(ServingError, match="holds no tracemill store"):
        operator.work({}, event)


def test_no_server_in_time_is_a_clear_error(recipe: str, store: Store) -> None:
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0])
    with pytest.raises(ServingError, match="look at the serve task"):
        operator.work({}, {"state": "late", "missing": ["tiny"]})


def test_a_connection_is_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection_id("qwen2.5-7b") == "tracemill_qwen2_5_7b"
    monkeypatch.setenv(
        "AIRFLOW_CONN_TRACEMILL_TINY",
        '{"conn_type": "http", "host": "gpu1", "port": 8000, "password": "s3cret", "extra": {"model": "org/tiny"}}',
    )
    machine = with_connections(Resources(environment={}), ["tiny", "unknown"])
    assert '"url": "http://gpu1:8000"' in machine.environment["TRACEMILL_ENDPOINTS"]
    assert '"model": "org/tiny"' in machine.environment["TRACEMILL_ENDPOINTS"]
    assert "unknown" not in machine.environment["TRACEMILL_ENDPOINTS"]
    assert machine.environment["TRACEMILL_SAMPLES"] == "../../samples"


@pytest.mark.parametrize("wrong", ["s3cret\u201d", "s3cret\nX: y"], ids=["a quotation mark of a text", "two lines"])
def test_a_connections_password_is_taken_without_its_line_end_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def named(password: str) -> None:
        told = {"conn_type": "http", "host": "gpu1", "password": password}
        monkeypatch.setenv("AIRFLOW_CONN_TRACEMILL_TINY", json.dumps(told))

    named("s3cret\r\n")
    endpoints = json.loads(with_connections(Resources(environment={}), ["tiny"]).environment["TRACEMILL_ENDPOINTS"])
    assert endpoints["tiny"][0]["key"] == "s3cret"
    named(wrong)
    with pytest.raises(RecipeError, match=r"tracemill_tiny names no endpoint: key: .*copy the key anew") as raised:
        with_connections(Resources(environment={}), ["tiny"])
    assert "s3cret" not in str(raised.value)
