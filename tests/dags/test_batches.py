"""A stage that asks in batches: it leaves its worker while they work, and no shard waits for another one's batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from airflow.sdk.exceptions import TaskDeferred

from tests.dags.graphs import first_event
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.recipe import load_recipe
from tracemill_airflow.batch_trigger import BatchTrigger
from tracemill_airflow.operators.stages import DistillOperator


@pytest.fixture
def served() -> Iterator[Served]:
    with on_socket(FakeServer()) as one:
        yield one


@pytest.fixture
def recipe(tmp_path: Path, served: Served) -> str:
    """A recipe whose two shards are distilled in batches."""
    api = {"url": f"{served.url}/v1", "model": "there", "batch": {"poll": 0.05}}
    teacher = {"kind": "chat", "model": {"name": "r1", "api": api}, "sampling": {"max_tokens": 50}}
    data = {
        "name": "batched",
        "description": "Two shards to distil.",
        "rows_per_shard": 5,
        "sources": [{"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math", "limit": 10}],
        "steps": {"distill": {"kind": "distill", "teacher": teacher}},
    }
    path = tmp_path / "batched.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


def test_all_shards_of_a_task_are_asked_for_before_it_leaves_and_one_wait_serves_all(
    tmp_path: Path, recipe: str, served: Served
) -> None:
    store, loaded = Store.at((tmp_path / "store").as_uri(), create=True), load_recipe(recipe)
    run_shard(loaded, store, "plan", 0, Resources(workers=1))
    for shard in (0, 1):
        run_shard(loaded, store, "ingest", shard, Resources(workers=1))
    operator = DistillOperator(
        task_id="distill", recipe=recipe, store_url=(tmp_path / "store").as_uri(), shards=[0, 1], at_once=1
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, BatchTrigger)
    assert len(trigger.records) == len(served.batches.batches) == 2
    path, settings = trigger.serialize()
    assert path == "tracemill_airflow.batch_trigger.BatchTrigger"
    event = first_event(BatchTrigger(**settings))
    done = operator.work({}, event)
    assert (event["state"], done["computed"]) == ("ready", 2)
    assert len(served.batches.batches) == 2
