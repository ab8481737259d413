"""Every DAG parses, follows the house's policy, and knows the stages that the recipes name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tracemill.recipe import load_recipe, recipe_names

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def test_every_file_of_the_dags_folder_parses(dagbag: DagBag) -> None:
    assert dagbag.import_errors == {}
    assert "reasoning_distillation" in dagbag.dags


def test_every_dag_is_described_tagged_and_does_not_catch_up(dagbag: DagBag) -> None:
    for name, dag in dagbag.dags.items():
        assert dag.tags, name
        assert dag.doc_md, name
        assert not dag.catchup, name


def test_a_faulty_world_is_retried_but_a_bad_recipe_is_not(dagbag: DagBag) -> None:
    for task in dagbag.dags["reasoning_distillation"].tasks:
        assert task.retries >= 1, task.task_id
        policy = task.partial_kwargs["retry_policy"] if task.is_mapped else task.retry_policy
        assert policy is not None, task.task_id


def test_dedup_distillation_verification_and_release_are_operators_of_their_own(dagbag: DagBag) -> None:
    classes = {task.operator_name for task in dagbag.dags["reasoning_distillation"].tasks}
    wanted = {"ClusterOperator", "VerifyMathOperator", "VerifyCodeOperator", "SelectOperator", "ReleaseOperator"}
    assert wanted <= classes


@pytest.mark.parametrize("name", recipe_names())
def test_the_dag_runs_every_stage_that_the_recipe_names_in_the_recipes_order(dagbag: DagBag, name: str) -> None:
    dag = dagbag.dags["reasoning_distillation"]
    order = [re.sub(r"^\w+\.", "", task.task_id) for task in dag.topological_sort()]
    stages = list(load_recipe(name).pipeline())
    assert [stage for stage in order if stage in stages] == stages
