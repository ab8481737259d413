"""A run whose task has failed for good ends within a minute, in a real Airflow, and people hear of it and why."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.serving.run_end import failing_airflow, provoked, ran
from tests.build.webhook import Hook, webhook
from tracemill_airflow.local import LocalAirflow

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAirflow, Hook]]:
    folder = tmp_path_factory.mktemp("run_end")
    with webhook() as hook:
        connection = json.dumps({"conn_type": "http", "host": hook.url})
        told = {"TRACEMILL_NOTIFY": "hook", "AIRFLOW_CONN_HOOK": connection, "TRACEMILL_RUN_DEADLINE": "1s"}
        with failing_airflow(folder, told) as server:
            yield server, hook


def message(hook: Hook, title: str) -> dict[str, Any]:
    """The message with these words in its title, which the DAG processor sends some seconds after the run's end."""
    for _ in range(120):
        found = [body for _, body in hook.posted if title in body["title"]]
        if found:
            return found[0]
        time.sleep(0.5)
    raise AssertionError(f"no message {title!r} among {[body['title'] for _, body in hook.posted]}")


def test_one_shard_that_fails_ends_what_the_other_waits_for(airflow: tuple[LocalAirflow, Hook]) -> None:
    """Trap: the other shard's task asks a model that never answers; nothing but the failure can end it."""
    server, hook = airflow
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


def test_an_endpoint_without_the_model_fails_the_run_in_its_own_words(airflow: tuple[LocalAirflow, Hook]) -> None:
    server, hook = airflow
    ended = provoked(server, "no_such_model")
    assert ended.seconds < 60
    assert "does not serve model 'elsewhere'" in message(hook, "no_such_model v1 failed in distill")["cause"]


def test_a_run_that_ends_well_is_told_of_too_and_a_late_one_before(airflow: tuple[LocalAirflow, Hook]) -> None:
    server, hook = airflow
    rest, run = ran(server, "sound")
    assert rest.run("sound", run)["state"] == "success"
    assert message(hook, "sound v1 is done")["run"] == run
    assert message(hook, "sound is late and goes on")
