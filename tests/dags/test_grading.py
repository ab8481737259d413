"""The graph that grades: made from the recipe `grade_demo`, and offered for every recipe that has a stage `grade`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tracemill.recipe import load_recipe, recipe_names
from tracemill_airflow.operators.stages import GradeOperator

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

GRADING = [name for name in recipe_names() if any(step.kind == "grade" for step in load_recipe(name).steps.values())]


def graph_of(dagbag: DagBag, recipe: str) -> DAG:
    """The one grading DAG whose form offers that recipe."""
    graphs = [dag for name, dag in dagbag.dags.items() if name.startswith("grade_difficulty")]
    (found,) = [dag for dag in graphs if recipe in dag.params.get_param("recipe").schema["enum"]]
    return found


def test_the_form_begins_with_the_recipe_that_grades_on_a_laptop(dagbag: DagBag) -> None:
    offered = dagbag.dags["grade_difficulty"].params.get_param("recipe")
    assert offered.value == "grade_demo"
    assert "demo" not in offered.schema["enum"]


@pytest.mark.parametrize("recipe", GRADING)
def test_every_recipe_that_grades_is_offered_with_all_of_its_stages_in_order(dagbag: DagBag, recipe: str) -> None:
    dag = graph_of(dagbag, recipe)
    order = [re.sub(r"^\w+\.", "", task.task_id) for task in dag.topological_sort()]
    stages = list(load_recipe(recipe).pipeline())
    assert [stage for stage in order if stage in stages] == stages


def test_grades_are_made_shard_by_shard_by_an_operator_of_their_own(dagbag: DagBag) -> None:
    (task,) = [task for task in dagbag.dags["grade_difficulty"].tasks if task.task_id.endswith(".grade")]
    assert task.operator_name == GradeOperator.__name__
    assert task.get_closest_mapped_task_group() is not None
