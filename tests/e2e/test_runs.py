"""Runs of a real Airflow. One whose task has failed for good ends within a minute, and people hear of it and why; one
that asks in batches waits in the triggerer, and nothing is paid twice when its worker is killed.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.serving.run_end import BATCHED, CAPPED, RECIPES, failing_airflow, provoked, ran, started, talking_to
from tests.build.webhook import Hook, webhook
from tracemill.engine.store import Store
from tracemill.local.limits import raise_limit
from tracemill.models.fake_http import Served
from tracemill.recipe import load_recipe
from tracemill_airflow.local import LocalAirflow
from tracemill_airflow.places import store_of

pytestmark = pytest.mark.timeout(400)


class Up(NamedTuple):
    """A running Airflow, where its messages arrive, and the model server that its runs ask."""

    server: LocalAirflow
    hook: Hook
    fake: Served


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("run_end")
    with webhook() as hook:
        connection = json.dumps({"conn_type": "http", "host": hook.url})
        told = {"TRACEMILL_NOTIFY": "hook", "AIRFLOW_CONN_HOOK": connection, "TRACEMILL_RUN_DEADLINE": "1s"}
        with failing_airflow(folder, told) as (server, fake):
            yield Up(server, hook, fake)


def message(hook: Hook, title: str) -> dict[str, Any]:
    """The message with these words in its title, which the DAG processor sends some seconds after the run's end."""
    for _ in range(120):
        found = [body for _, body in hook.posted if title in body["title"]]
        if found:
            return found[0]
        time.sleep(0.5)
    raise AssertionError(f"no message {title!r} among {[body['title'] for _, body in hook.posted]}")


def test_one_shard_that_fails_ends_what_the_other_waits_for(airflow: Up) -> None:
    """Trap: the other shard's task asks a model that never answers; nothing but the failure can end it."""
    server, hook, _ = airflow
    ended = provoked(server, "one_shard")
    assert ended.failed_first == "prepare.decontaminate"
    assert ended.seconds < 60
    assert ended.states["prepare.distill[1]"] == "failed"
    told = message(hook, "one_shard v1 failed in decontaminate[0]")
    assert (told["stage"], told["shards"]) == ("decontaminate", "shard 0")
    assert told["cause"].startswith("SourceError: ")
    assert "goes.jsonl" in told["cause"]
    assert told["remedy"].startswith("correct the source")
    assert "/tasks/prepare.decontaminate/mapped/0" in told["link"]
    assert told["failed tasks"] == "decontaminate[0]", "what ended with the run is no cause"


def test_an_endpoint_without_the_model_fails_the_run_in_its_own_words(airflow: Up) -> None:
    server, hook, _ = airflow
    ended = provoked(server, "no_such_model")
    assert ended.seconds < 60
    assert "does not serve model 'elsewhere'" in message(hook, "no_such_model v1 failed in distill")["cause"]


def test_a_run_that_ends_well_is_told_of_too_and_a_late_one_before(airflow: Up) -> None:
    server, hook, _ = airflow
    rest, run = ran(server, "sound")
    assert rest.run("sound", run)["state"] == "success"
    assert message(hook, "sound v1 is done")["run"] == run
    assert message(hook, "sound is late and goes on")


def test_a_run_that_asks_in_batches_waits_in_the_triggerer_and_a_killed_worker_costs_nothing_twice(airflow: Up) -> None:
    """Trap: its worker is killed when the provider has made the batches and did not say so yet, and once more while it
    fetches the answers. What is paid is what the provider was asked.
    """
    server, _, fake = airflow
    provider = fake.batches
    provider.looks = 3
    provider.holds = "made"
    rest, run = started(server, BATCHED, {"shards_per_task": 2})
    seen: set[str | None] = set()
    for tasks in rest.follow(BATCHED, run, every=0.3):
        seen |= {task.state for task in tasks if task.task == "prepare.distill"}
        if provider.held:
            os.kill(talking_to(fake.url, server), signal.SIGKILL)
            provider.holds = "answers" if provider.holds == "made" else None
            provider.held = 0
    assert rest.run(BATCHED, run)["state"] == "success", rest.tasks(BATCHED, run)
    assert {"deferred", "up_for_retry"} <= seen
    (tries,) = [task.tries for task in rest.tasks(BATCHED, run) if task.task == "prepare.distill"]
    assert tries == 3
    asked = Counter(line["custom_id"] for line in provider.asked)
    assert (len(provider.batches), sorted(asked.values())) == (2, [1, 1, 1, 1])
    assert len([sent for sent in fake.fake.requests if sent.get("model") == BATCHED]) == 4, "nothing asked beside them"
    folder = Path(server.home).parent
    place = {"recipe": str(folder / RECIPES / f"{BATCHED}.yaml"), "release": "v1"}
    store = Store.at(store_of({"store": (folder / "store").as_uri(), **place}))
    release = store.manifest("release", 0)
    assert release is not None
    assert release.counts.kept == 4


def test_a_run_that_reaches_its_cost_limit_is_paused_and_goes_on_when_that_is_raised(airflow: Up) -> None:
    """Trap: a task that may not spend more looks failed, or like one that waits for a model; nothing is paid twice.

    The limit is raised by the field in *Required actions* first, and then from outside.
    """
    server, hook, fake = airflow
    folder = Path(server.home).parent
    recipe = str(folder / RECIPES / f"{CAPPED}.yaml")
    root = store_of({"store": (folder / "store").as_uri(), "recipe": recipe, "release": "v1"})
    before = len(fake.fake.generated)
    rest, run = started(server, CAPPED, {"shards_per_task": 2})
    paid: list[int] = []
    for tasks in rest.follow(CAPPED, run, every=0.5):
        if "deferred" not in {task.state for task in tasks if task.task == "prepare.distill"}:
            continue
        asked = rest.asked(CAPPED, run)
        if not paid and asked:
            assert "cost_limit of 1 USD is reached" in message(hook, f"{CAPPED} v1 is paused")["cause"]
            assert "paused at a limit: shards 0, 1" in [t["rendered_map_index"] for t in rest.instances(CAPPED, run)]
            assert rest.run(CAPPED, run)["state"] == "running"
            paid.append(len(fake.fake.generated) - before)
            time.sleep(5)  # as people do: what is answered before the scheduler heard of the pause fails the try
            rest.answer(CAPPED, run, asked[0], "Go on", {"cost_limit": 20})
        elif len(paid) == 1 and asked:  # once more: two answers cost 26
            paid.append(len(fake.fake.generated) - before)
            raise_limit(load_recipe(recipe), Store.at(root), 1e6)
    assert rest.run(CAPPED, run)["state"] == "success", rest.tasks(CAPPED, run)
    assert 1 <= paid[0] <= 2, "one request of each shard's client"
    assert len(fake.fake.generated) - before == 4
    triggers = [path.read_text() for path in Path(server.home).glob(f"logs/dag_id={CAPPED}/**/*.trigger.*.log")]
    assert not rest.asked(CAPPED, run), ("nobody is asked any more", *triggers)
