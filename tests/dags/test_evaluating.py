"""The graph that evaluates: made from `evaluate_papers`, and offered for every recipe that has a stage `evaluate`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.build.small import Small
from tests.dags.graphs import dag_file, ran, store_of
from tracemill.recipe import load_recipe, recipe_names
from tracemill_airflow.graph import stages_of
from tracemill_airflow.operators.stages import EvaluateOperator

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

EVALUATING = [n for n in recipe_names() if any(step.kind == "evaluate" for step in load_recipe(n).steps.values())]


def test_the_form_begins_with_the_recipe_that_evaluates_on_a_laptop(dagbag: DagBag) -> None:
    offered = dagbag.dags["evaluate"].params.get_param("recipe")
    assert offered.value == "evaluate_demo"
    assert offered.schema["enum"] == ["evaluate_demo", "evaluate_papers", "evaluate_demo_full"]


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


def answered(made: Small, items: int) -> None:
    """A recipe of problems with a response each, of which every third is wrong, that is graded and evaluated."""
    rows = [
        {
            "q": f"What is {n} + 1?",
            "a": str(n + 1),
            "r": f"<think>hm</think>\n<answer>\\boxed{{{n + (n % 3 > 0)}}}</answer>",
        }
        for n in range(items)
    ]
    (made.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "q", "reference_answer": "a", "response": "r"}
    path = str(made.folder / "rows.jsonl")
    source = {"kind": "jsonl", "name": "sums", "path": path, "columns": columns, "teacher": "student"}
    steps = {
        "verify_math": {"kind": "verify", "verifiers": [{"kind": "math"}]},
        "grade": {"kind": "grade"},
        "evaluate": {"kind": "evaluate", "draws": 500, "second_opinion": False},
    }
    recipe = {"name": "small", "description": "x", "rows_per_shard": 4, "sources": [source], "steps": steps}
    made.recipe_file.write_text(yaml.safe_dump(recipe, sort_keys=False))


def test_the_graph_runs_to_the_score(tmp_path: Path, dagbag: DagBag) -> None:
    made = Small(tmp_path)
    answered(made, 9)
    dag = dag_file("evaluate").evaluating("evaluated", stages_of(made.recipe_file), [str(made.recipe_file)])
    states = ran(dag, made)
    assert set(states.values()) == {"success"}
    store = store_of(made)
    manifest = store.manifest("evaluate", 0)
    assert manifest is not None
    (score,) = store.get_table(manifest.tables["evaluations"]).to_pylist()
    assert (score["teacher"], score["items"], score["passed"]) == ("student", 9, 6)
    assert score["pass_at_1"] == pytest.approx(6 / 9)
