"""`make demo-full`: its two recipes have a DAG each, and the second runs when the first has succeeded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from tracemill.recipe import load_recipe
from tracemill_airflow.demo_full import ASKS, TRAINS, chain
from tracemill_airflow.local import LocalAirflow
from tracemill_airflow.rest import AirflowRest, RunFailed, TaskState

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DONE = {"began": 1.0, "ended": 3.0, "computed": 2, "shards": 5}


class Rest(AirflowRest):
    """An Airflow whose runs have one task, which takes four seconds of the clock; that of `failing` fails."""

    def __init__(self, failing: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._failing = failing

    def await_dag(self, dag: str, seconds: float = 120) -> None:
        """It is there."""

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        self.asked.append((dag, conf))
        return f"run of {dag}"

    def follow(self, dag: str, run: str, every: float = 1.0, seldom: float = 0.0) -> Iterator[list[TaskState]]:
        yield [TaskState("train", -1, "running", 1)]
        yield [TaskState("train", -1, self._state(dag), 1), TaskState("servers", -1, "success", 1)]

    def run(self, dag: str, run: str) -> dict[str, Any]:
        times = {"start_date": "2026-01-01T00:00:00+00:00", "end_date": "2026-01-01T00:00:04+00:00"}
        return {"state": self._state(dag), **times}

    def summary(self, dag: str, run: str, task: TaskState) -> Any:
        assert task.task == "train", "a server seals no shard"
        return DONE

    def _state(self, dag: str) -> str:
        return "failed" if dag == self._failing else "success"


def chained(rest: Rest, folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the chain of both runs says, and of which recipes it told that they had ended."""
    told: list[str] = []
    server = LocalAirflow("http://here", "admin", "x", -1, str(folder))
    ran = chain("v7", rest, server, Console(file=StringIO()), lambda recipe, _: told.append(recipe))
    return ran, told


@pytest.mark.parametrize(("dag", "recipe"), [TRAINS, ASKS])
def test_each_recipe_has_a_dag_with_all_of_its_stages_in_order(dagbag: DagBag, dag: str, recipe: str) -> None:
    found = dagbag.dags[dag]
    assert recipe in found.params.get_param("recipe").schema["enum"]
    order = [re.sub(r"^\w+\.", "", task.task_id) for task in found.topological_sort()]
    stages = list(load_recipe(recipe).pipeline())
    assert [stage for stage in order if stage in stages] == stages


def test_whom_the_second_asks_lies_where_the_first_lays_it() -> None:
    first = load_recipe(TRAINS[1]).model_dump(mode="json")["steps"]
    second = load_recipe(ASKS[1]).model_dump(mode="json")["steps"]
    assert second["sample_2"]["teacher"]["model"]["weights"] == first["train"]["folder"]
    assert second["sample_1"]["teacher"]["model"]["weights"] == first["train"]["base"]["weights"]


def test_both_run_one_after_the_other_in_one_release(tmp_path: Path) -> None:
    rest = Rest()
    ran, told = chained(rest, tmp_path)
    assert rest.asked == [(dag, {"recipe": recipe, "release": "v7"}) for dag, recipe in (TRAINS, ASKS)]
    assert told == list(ran) == ["demo_full", "evaluate_demo_full"]
    wanted = {"tasks": 1, "computed": 2, "reused": 3, "wall_seconds": 4.0, "work_seconds": 2.0, "overhead_seconds": 2.0}
    assert ran["demo_full"] == {**wanted, "peak_gib": 0.0}


def test_nobody_is_evaluated_who_was_not_trained(tmp_path: Path) -> None:
    rest = Rest(failing=TRAINS[0])
    with pytest.raises(RunFailed, match=r"failed in train\[-1\] \(try 1\)\. See http://here/dags/train_student_demo"):
        chained(rest, tmp_path)
    assert [dag for dag, _ in rest.asked] == [TRAINS[0]]
