"""The graph that grades: made from the recipe `grade_demo`, and offered for every recipe that has a stage `grade`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from tests.build.small import Small
from tests.dags.graphs import ran
from tracemill.engine.resources import SHIPPED
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.recipe import load_recipe, recipe_names
from tracemill_airflow.operators.stages import GradeOperator

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

GRADING = [name for name in recipe_names() if any(step.kind == "grade" for step in load_recipe(name).steps.values())]

_FILE = SHIPPED / "problems" / "demo_open.jsonl"
OPEN = {row["prompt"]: row for row in map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())}


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


def said(prompt: str, seed: int) -> str:
    """Two of four answers to a sum are right; the judge takes nothing for right; no program is."""
    if "evaluation expert" in prompt:
        return '{"correctness": "1"}'
    row = OPEN[max((text for text in OPEN if text in prompt), key=len)]
    answer = row["reference_answer"] if seed % 4 < 2 else None
    return f"<think>\nhm\n</think>\n<answer>\n\\boxed{{{answer or 'no idea'}}}\n</answer>"


def test_a_run_grades_selects_and_writes_the_training_sets(
    dagbag: DagBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph whole, with a fake server that answers for all four models."""
    models = ("teacher-weak", "teacher-small", "teacher-large", "judge")
    with on_socket(FakeServer(say=said)) as served:
        monkeypatch.setenv(ENDPOINTS, json.dumps({name: [{"url": served.url, "model": name}] for name in models}))
        states = ran(dagbag.dags["grade_difficulty"], Small(tmp_path), recipe="grade_demo", rows=8)
    assert {task: state for task, state in states.items() if state not in ("success", "skipped")} == {}
    store = Store.at(f"{tmp_path}/grade_demo/v1/trials/rows-8")
    exported = store.manifest("export", 0)
    assert exported is not None
    assert {name.split("/")[0] for name in exported.files} == set(load_recipe("grade_demo").step("export").sets)  # type: ignore[attr-defined]
    taken = pq.read_table(store.path(exported.files["sft_1/train.parquet"].key))
    assert taken.num_rows > 0
    assert set(taken["verify_score"].to_pylist()) == {1.0}
