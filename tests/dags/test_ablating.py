"""The graph that asks what each stage gains: the sets first, then a task a student where the GPUs are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from airflow.sdk.definitions.mappedoperator import MappedOperator

from tests.build.ablated import ablatable, released
from tests.build.training import machine
from tests.dags.graphs import XCom, dag_file
from tracemill.ablate.stages import STAGES, Stage
from tracemill.errors import RecipeError
from tracemill_airflow.operators.ablating import SetsOperator
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def test_the_form_offers_the_recipes_that_train_and_the_stages_that_there_are(dagbag: DagBag) -> None:
    """Trap: the file repeats the stages' names, so that parsing it loads nothing of the library."""
    params = dagbag.dags["ablate"].params
    assert "student_demo" in params.get_param("recipe").schema["enum"]
    assert "demo" not in params.get_param("recipe").schema["enum"]
    assert params.get_param("stages").schema["items"]["enum"] == list(STAGES) == list(get_args(Stage))


def test_a_student_is_a_task_in_the_pool_of_the_gpus_that_no_time_out_ends(dagbag: DagBag) -> None:
    dag = dagbag.dags["ablate"]
    student = dag.get_task("student")
    assert isinstance(student, MappedOperator)
    assert (student.pool, student.queue, student.execution_timeout) == ("gpu", "gpu", None)
    assert student.partial_kwargs["retry_policy"] is RETRY_THE_WORLD_ONLY
    assert (student.upstream_task_ids, student.downstream_task_ids) == ({"sets"}, {"outcome"})


FORM: dict[str, Any] = {
    "evaluation": "evaluate_demo",
    "stages": ["rules"],
    "seeds": 5,
    "tokens": 0,
    "rows_evaluated": 0,
    "interval": 0.95,
}


def test_the_first_task_makes_the_sets_and_names_the_students(dagbag: DagBag, tmp_path: Path) -> None:
    """Trap: a draw of 64 bits is no whole number of JSON's."""
    made = released(ablatable(tmp_path), machine(tmp_path))
    task = SetsOperator(task_id="sets", recipe=str(made.recipe_file), store_url=made.root.as_uri())
    units = task.execute({"ti": XCom(), "params": FORM})  # type: ignore[typeddict-item]
    assert [unit[:2] for unit in units[:3]] == [["full", 0], ["random", 0], ["without_rules", 0]]
    assert len(units) == 15
    assert all(isinstance(unit[2], str) and 0 < int(unit[2]) <= 1 << 64 for unit in units)
    with pytest.raises(RecipeError, match="stages"):
        task.execute({"ti": XCom(), "params": {**FORM, "stages": ["none"]}})  # type: ignore[typeddict-item]


def test_the_file_makes_a_graph_for_any_recipe(dagbag: DagBag) -> None:
    dag = dag_file("ablate").ablating("ablate_tried", ["student_demo"])
    assert set(dag.task_ids) == {"sets", "student", "outcome"}
