"""The graph that evaluates: made from `evaluate_papers`, and offered for every recipe that has a stage `evaluate`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tracemill.recipe import load_recipe, recipe_names
from tracemill_airflow.operators.stages import EvaluateOperator

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

EVALUATING = [n for n in recipe_names() if any(step.kind == "evaluate" for step in load_recipe(n).steps.values())]


def test_the_form_begins_with_the_recipe_that_evaluates_on_a_laptop(dagbag: DagBag) -> None:
    offered = dagbag.dags["evaluate"].params.get_param("recipe")
    assert offered.value == "evaluate_demo"
    assert offered.schema["enum"] == ["evaluate_demo", "evaluate_papers"]


@pytest.mark.parametrize("recipe", EVALUATING)
def test_every_recipe_that_evaluates_is_offered_with_all_of_its_stages_in_order(dagbag: DagBag, recipe: str) -> None:
    graphs = [dag for name, dag in dagbag.dags.items() if re.fullmatch(r"evaluate(?:_\w+)?", name)]
    (dag,) = [dag for dag in graphs if recipe in dag.params.get_param("recipe").schema["enum"]]
    order = [re.sub(r"^\w+\.", "", task.task_id) for task in dag.topological_sort()]
    stages = list(load_recipe(recipe).pipeline())
    assert [stage for stage in order if stage in stages] == stages


def test_scores_are_added_up_by_one_task_of_an_operator_of_its_own(dagbag: DagBag) -> None:
    task = dagbag.dags["evaluate"].get_task("evaluate")
    assert task.operator_name == EvaluateOperator.__name__
    assert task.get_closest_mapped_task_group() is None
