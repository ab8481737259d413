"""A stage that fails for good in a whole graph: the other shards end with it, and people are told the cause alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.serving.run_end import GOES, Stalling, write_recipes
from tests.build.webhook import webhook
from tests.dags.graphs import known_to_airflow
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake_http import on_socket

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.mark.usefixtures("dagbag")
def test_one_failure_ends_what_comes_after_it_and_is_told_once(
    dagbag: DagBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk import DAG

    from tracemill_airflow.form import DEFAULTS
    from tracemill_airflow.graph import stages_of, wire
    from tracemill_airflow.places import MACROS
    from tracemill_airflow.watched import watched

    recipes = write_recipes(tmp_path)
    for name in ("a", "b"):
        (recipes / f"{name}.jsonl").write_text(json.dumps({"problem": f"Calculate 2 + 2 for {name}."}) + "\n")
    with webhook() as hook, on_socket(Stalling(goes=recipes / GOES)) as fake:
        monkeypatch.setenv(ENDPOINTS, json.dumps({"present": [{"url": fake.url, "model": "there"}]}))
        monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"conn_type": "http", "host": hook.url}))
        monkeypatch.setenv("TRACEMILL_NOTIFY", "hook")
        form = {"user_defined_macros": MACROS, "default_args": {**DEFAULTS, "retries": 0}}
        with DAG("ends_together", schedule=None, **form, **watched()) as dag:  # type: ignore[arg-type]
            wire(stages_of(recipes / "one_shard.yaml"))
        known_to_airflow(dag)
        place = {"recipe": str(recipes / "one_shard.yaml"), "release": "v1", "store": (tmp_path / "s").as_uri()}
        run = dag.test(run_conf={**place, "shards_per_task": 1})
    states = {(task.task_id, task.map_index): str(task.state) for task in run.get_task_instances()}
    assert str(run.state) == "failed"
    ends = {states["prepare.decontaminate", shard] for shard in (0, 1)}  # which of the two is tried first is open
    assert "failed" in ends
    assert ends <= {"failed", "upstream_failed"}
    (body,) = [posted for _, posted in hook.posted]
    assert body["title"] == "tracemill: one_shard v1 failed"
    assert body["link"].endswith(str(run.run_id).replace(":", "%3A").replace("+", "%2B"))
