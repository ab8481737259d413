"""The graph that trains: the proof before the pool of the GPUs, and a task that no time-out of stages ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.build.small import text
from tests.build.training import TRAIN, python_that, recipe_with
from tests.dags.graphs import dag_file, ran, store_of
from tracemill.errors import TrainingError
from tracemill.recipe import load_recipe
from tracemill.train.launch import PYTHON
from tracemill_airflow.graph import stages_of
from tracemill_airflow.operators.base import WORLD

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def test_the_form_offers_the_recipes_that_train_and_no_others(dagbag: DagBag) -> None:
    offered = dagbag.dags["train_student"].params.get_param("recipe")
    assert offered.value == "student_demo"
    assert "demo" not in offered.schema["enum"]


def test_rows_are_proved_on_any_worker_before_a_gpu_is_taken(dagbag: DagBag) -> None:
    dag = dagbag.dags["train_student"]
    prove = dag.get_task("prove")
    train = dag.get_task("train")
    assert (prove.pool, prove.queue) == ("default_pool", "default")
    assert (train.pool, train.queue, train.execution_timeout) == ("gpu", "gpu", None)
    assert prove.task_id in train.upstream_task_ids
    assert list(load_recipe("student_demo").pipeline())[-2:] == ["prove", "train"]


def test_a_run_goes_from_rows_to_a_student_in_its_folder(
    dagbag: DagBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON, str(python_that(tmp_path, "trains")))
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    train = {**TRAIN, "folder": str(tmp_path / "student")}
    made = recipe_with(tmp_path, [text(k) for k in range(6)], {}, train=train)
    recipe = str(made.recipe_file)

    states = ran(dag_file("train_student").training("train_tried", stages_of(made.recipe_file), [recipe]), made)

    assert {states[name] for name in ("release", "prove", "train")} == {"success"}
    assert (tmp_path / "student" / "model.safetensors").read_bytes() == b"weights"
    found = store_of(made).manifest("train", 0)
    assert found is not None
    assert found.counts.kept == 6


def test_a_training_that_died_is_tried_again() -> None:
    assert TrainingError in WORLD
