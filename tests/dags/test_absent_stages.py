"""Stages of a graph that a recipe lacks: the task before them skips them, and they take no worker's time."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import DAG

from tests.build.small import Small, small, text
from tests.dags.graphs import known_to_airflow
from tracemill_airflow.form import DEFAULTS
from tracemill_airflow.graph import Stage, stages_of, wire
from tracemill_airflow.operators.lacking import lacking as lacking_after
from tracemill_airflow.operators.stages import DistillOperator
from tracemill_airflow.places import MACROS

LACKING = [Stage(name, DistillOperator) for name in ("other", "another")]


def with_two_more(made: Small) -> DAG:
    """The recipe's graph with two stages more, between `rules` and `select`."""
    stages = list(stages_of(made.recipe_file))
    at = [stage.name for stage in stages].index("select")
    with DAG("lacks_two", schedule=None, user_defined_macros=MACROS, default_args=DEFAULTS) as dag:
        wire([*stages[:at], *LACKING, *stages[at:]])
    return dag


@pytest.mark.usefixtures("dagbag")
def test_stages_that_the_recipe_lacks_are_skipped_batch_by_batch(tmp_path: Path) -> None:
    made = small(tmp_path, [text(number) for number in range(20)])
    dag = with_two_more(made)
    known_to_airflow(dag)
    place = {"recipe": str(made.recipe_file), "release": "v1", "store": (tmp_path / "s").as_uri()}
    run = dag.test(run_conf={**place, "shards_per_task": 1})
    tasks = run.get_task_instances()
    assert str(run.state) == "success"
    found = {(task.task_id, task.map_index): task for task in tasks}
    for batch in (0, 1):
        states = {stage.name: str(found[f"refine.{stage.name}", batch].state) for stage in LACKING}
        assert states == {"other": "skipped", "another": "skipped"}
        counts = found["refine.rules", batch].xcom_pull(task_ids="refine.rules", key="summary", map_indexes=batch)
        assert counts["shards"] == 1
        assert str(found["refine.select", batch].state) == "success"


@pytest.mark.parametrize(
    ("task", "names"),
    [
        pytest.param("refine.unique", [], id="the recipe has the next one"),
        pytest.param("refine.rules", ["refine.other", "refine.another"], id="two in a row"),
        pytest.param("refine.other", ["refine.another"], id="itself lacking: those after it"),
        pytest.param("refine.select", [], id="what follows is in no group: all batches need it"),
        pytest.param("cluster", [], id="in no group itself"),
    ],
)
def test_a_task_skips_those_after_it_up_to_the_next_that_the_recipe_has(
    tmp_path: Path, task: str, names: list[str]
) -> None:
    """Trap: skipped by an earlier task, `select` would not wait for `rules`."""
    made = small(tmp_path, [text(1)])
    dag = with_two_more(made)
    assert lacking_after(dag.get_task(task), made.recipe) == names
