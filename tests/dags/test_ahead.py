"""Tasks that ask ahead: teachers whose stages follow one another answer side by side."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from tests.build.answering import solving
from tests.dags.graphs import XCom, known_to_airflow
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.local.ahead import Without, ask_ahead
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import want, wanted
from tracemill.recipe import load_recipe
from tracemill_airflow import pausing
from tracemill_airflow.cost_trigger import CostTrigger
from tracemill_airflow.following import summarise
from tracemill_airflow.form import DEFAULTS
from tracemill_airflow.graph import Stage, _beside, stages_of, wire
from tracemill_airflow.operators.ahead import AheadOperator
from tracemill_airflow.operators.stages import DistillOperator, RuleCheckOperator, VerifyMathOperator
from tracemill_airflow.places import MACROS, store_of
from tracemill_airflow.rest import AirflowRest, TaskState
from tracemill_airflow.triggers import LeaseTrigger


def distill(name: str, **teacher: Any) -> dict[str, Any]:
    model = {"name": name, "weights": f"org/{name}", "revision": "abc"}
    return {"kind": "distill", "problems": "all", "teacher": {"kind": "chat", "model": model, **teacher}}


def written(folder: Path, **steps: Any) -> str:
    """Two shards for these steps."""
    columns = {"prompt": "prompt", "reference_answer": "reference_answer"}
    path = str(SHIPPED / "problems" / "demo_open.jsonl")
    data = {
        "name": "two_teachers",
        "description": "Two.",
        "rows_per_shard": 4,
        "sources": [{"kind": "jsonl", "name": "open", "path": path, "columns": columns, "limit": 8}],
        "steps": {**steps, "rules": {"kind": "rules", "styles": ["am"]}},
    }
    file = folder / "two_teachers.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(file)


@pytest.fixture(autouse=True)
def _own_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks share samples between stores, and so would these tests."""
    monkeypatch.setenv("TRACEMILL_SAMPLES", (tmp_path / "samples").as_uri())


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    return written(tmp_path, first=distill("first", samples=2), second=distill("second", samples=2))


@pytest.fixture
def store(tmp_path: Path, recipe: str) -> Store:
    """A store in which everything before the teachers is done."""
    made, loaded = Store.at((tmp_path / "store").as_uri(), create=True), load_recipe(recipe)
    run_shard(loaded, made, "plan", 0, Resources(workers=1))
    for shard in (0, 1):
        run_shard(loaded, made, "ingest", shard, Resources(workers=1))
    return made


def operator(recipe: str, store: Store, stage: str = "second") -> AheadOperator:
    place = {"recipe": recipe, "store_url": Path(store.root).as_uri()}
    return AheadOperator(task_id=f"{stage}-ahead", stage=stage, shards=[0, 1], beside=["first"], **place)


def asked(name: str, operator: type = DistillOperator, asks: bool = True) -> Stage:
    return Stage(name, operator, asks)


@pytest.mark.parametrize(
    ("stages", "found"),
    [
        pytest.param([asked("a")], [], id="alone"),
        pytest.param([asked("a"), asked("b"), asked("c")], ["a", "b"], id="three teachers"),
        pytest.param([asked("a"), asked("v", VerifyMathOperator, asks=False), asked("b")], [], id="a cascade"),
        pytest.param(
            [asked("a"), asked("v", VerifyMathOperator, asks=False), asked("b"), asked("c")], ["b"], id="both"
        ),
        pytest.param([asked("a", RuleCheckOperator), asked("b", RuleCheckOperator)], [], id="no teachers"),
    ],
)
def test_only_teachers_right_before_it_are_not_waited_for(stages: list[Stage], found: list[str]) -> None:
    """Trap: a strong teacher behind a cheap one and its verdicts must hear what that one solved."""
    assert _beside(stages) == found


def test_the_graph_of_the_comparison_asks_its_teachers_side_by_side() -> None:
    with DAG("compares", schedule=None, user_defined_macros=MACROS, default_args=DEFAULTS) as dag:
        wire(stages_of(SHIPPED / "compare_demo.yaml"))
    ahead = {task.task_id: task for task in dag.tasks if isinstance(task, AheadOperator)}
    upstream = {name: set(task.upstream_task_ids) for name, task in ahead.items()}
    assert upstream == {
        "pilot_small-ahead": {"prepare.label"},
        "pilot_large-ahead": {"prepare.label"},
        "refine.distill_small-ahead": set(dag.get_task("refine.distill_weak").upstream_task_ids),
        "refine.distill_large-ahead": set(dag.get_task("refine.distill_weak").upstream_task_ids),
    }
    for name, task in ahead.items():
        assert task.downstream_task_ids == {name.removesuffix("-ahead")}
    assert dag.get_task("refine.distill_large").upstream_task_ids >= {"refine.distill_small"}


@pytest.mark.server
@pytest.mark.usefixtures("dagbag")
@pytest.mark.parametrize(("model", "times"), [("second", [16, 16]), ("first", [16, 0])], ids=["two models", "one"])
def test_a_run_asks_each_teacher_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, times: list[int]
) -> None:
    """Trap: a task that left all to its stage gave itself no label, for which Airflow failed it, and with it the run.

    The second run has one shard of the last stage to do: what was asked is sealed.
    """
    routed = {**distill("first", samples=2), "where": {"difficulty": [None]}}
    recipe = written(tmp_path, first=routed, second=distill(model, samples=2))
    with DAG(f"asks_{model}_ahead", schedule=None, user_defined_macros=MACROS, default_args=DEFAULTS) as dag:
        wire(stages_of(Path(recipe)))
    known_to_airflow(dag)
    place = {"recipe": recipe, "release": "v1", "store": (tmp_path / "s").as_uri()}
    with on_socket(solving(2)) as first, on_socket(solving(1)) as second:
        at = {name: [{"url": one.url, "model": name}] for name, one in (("first", first), ("second", second))}
        monkeypatch.setenv(ENDPOINTS, json.dumps(at))
        for batches in ({0, 1}, {0}):
            run = dag.test(run_conf={**place, "shards_per_task": 1})
            assert str(run.state) == "success"
            states = {(task.task_id, task.map_index): str(task.state) for task in run.get_task_instances()}
            ahead = {batch: state for (task, batch), state in states.items() if task == "prepare.second-ahead"}
            assert ahead == dict.fromkeys(batches, "success")
            assert [len([r for r in one.fake.requests if "messages" in r]) for one in (first, second)] == times
            for sealed in Path(store_of(place).removeprefix("file://"), "rules").glob("00001*"):
                sealed.unlink() if sealed.is_file() else shutil.rmtree(sealed)


def test_it_waits_deferred_for_its_own_model_and_for_no_stage(recipe: str, store: Store) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        operator(recipe, store).execute({})
    assert isinstance(deferred.value.trigger, LeaseTrigger)
    assert deferred.value.trigger.models == {"second": "org/second@abc"}
    assert deferred.value.trigger.after == ["first"]


@pytest.mark.parametrize(("waited_for", "woken"), [(["first"], False), ([], True)], ids=["not before it", "then"])
def test_it_takes_no_place_from_the_teacher_whose_turn_it_is(store: Store, waited_for: list[str], woken: bool) -> None:
    """Trap: on a machine with one GPU the second and third teacher were loaded first, to no avail."""
    for name in waited_for:
        want(store, name)
    trigger = LeaseTrigger(Path(store.root).as_uri(), {"second": "org/second@abc"}, 60, after=["first"])
    assert trigger._missing(look=1) == ["second"]
    assert not wanted(store, "second"), "those whose turn it is may not have said so yet"
    assert trigger._missing(look=9) == ["second"]
    assert wanted(store, "second") is woken


def test_a_server_that_does_not_come_in_time_is_the_stages_affair(recipe: str, store: Store) -> None:
    """Trap: on a machine with one GPU the first teacher may have it for days, and the run must not fail of that."""
    done = operator(recipe, store).work({}, {"state": "late", "missing": ["second"]})
    assert (done["stage"], done["shards"]) == ("second", 0)
    assert added_up(done) == {"tasks": 1, "computed": 0, "reused": 0, "wall_seconds": 4.0, "work_seconds": 0.0}


def added_up(done: Any) -> dict[str, Any]:
    """A run with that one task, as whoever followed it adds it up.

    Trap: a task that had left all to its stage did not say when it was at work, and `make grade-demo` broke off for it.
    """

    class Rest(AirflowRest):
        def __init__(self) -> None:
            """Logged in nowhere."""

        def run(self, dag: str, run: str) -> dict[str, Any]:
            return {"start_date": "2026-01-01T00:00:00+00:00", "end_date": "2026-01-01T00:00:04+00:00"}

        def summary(self, dag: str, run: str, task: TaskState) -> Any:
            return done

    found = summarise(Rest(), "run", [TaskState("refine.second-ahead", 0, "success", 1)], "dag")
    return {name: one for name, one in found.items() if name != "overhead_seconds"}


def test_who_became_the_second_of_a_cascade_is_not_asked_ahead(tmp_path: Path, recipe: str, store: Store) -> None:
    steps = {"first": distill("first"), "check": {"kind": "verify", "verifiers": [{"kind": "math"}]}}
    changed = written(tmp_path, **steps, second={**distill("second"), "problems": "unverified"})
    assert changed == recipe
    assert operator(recipe, store).execute({})["shards"] == 0


def test_a_recipe_without_the_stage_has_nothing_to_ask(recipe: str, store: Store) -> None:
    with pytest.raises(AirflowSkipException, match="no stage 'third'"):
        operator(recipe, store, "third").execute({})


@pytest.mark.server
@pytest.mark.parametrize(("model", "asked"), [("first", 0), ("second", 16)], ids=["the same", "another"])
def test_a_model_that_a_stage_beside_it_asks_is_left_to_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, asked: int
) -> None:
    """Trap: both asked it the same problems at once, and each paid for them."""
    steps = {"first": distill("first", samples=2), "second": distill(model, samples=2)}
    recipe = load_recipe(written(tmp_path, **steps))
    made = Store.at((tmp_path / "store").as_uri(), create=True)
    for stage, shard in (("plan", 0), ("ingest", 0), ("ingest", 1)):
        run_shard(recipe, made, stage, shard, Resources(workers=1))
    with on_socket(solving(2)) as server:
        at = {name: [{"url": server.url, "model": name}] for name in ("first", "second")}
        monkeypatch.setenv(ENDPOINTS, json.dumps(at))
        done = operator(str(tmp_path / "two_teachers.yaml"), made).execute({})
        assert added_up(done)["computed"] == 0
        assert len([one for one in server.fake.requests if "messages" in one]) == asked


def test_what_an_earlier_try_asked_people_is_not_left_open_where_nothing_is_to_be_done_any_more(
    tmp_path: Path, store: Store
) -> None:
    """Trap: a task that leaves all to its stage ended before it looked, and people were asked for ever."""
    changed = written(tmp_path, first=distill("second"), second=distill("second"))
    context: Any = {"ti": XCom()}
    store.write_bytes(pausing._asked(context), b"0.5")
    with pytest.raises(TaskDeferred) as deferred:
        operator(changed, store).execute(context)
    trigger = deferred.value.trigger
    assert isinstance(trigger, CostTrigger)
    assert (trigger.asks, trigger.limit) == (True, 0.5)
    assert operator(changed, store).unpaused(context, {"state": "ready"})["shards"] == 0


@pytest.mark.server
def test_a_stage_whose_answers_are_all_there_waits_for_no_server(recipe: str, store: Store) -> None:
    place = {"recipe": recipe, "store_url": Path(store.root).as_uri(), "shards": [0, 1]}
    with on_socket(solving(2)) as server, pytest.MonkeyPatch.context() as patch:
        at = {name: [{"url": server.url, "model": name}] for name in ("first", "second")}
        patch.setenv(ENDPOINTS, json.dumps(at))
        operator(recipe, store).execute({})
        DistillOperator(task_id="first", stage="first", **place).execute({})
    sealed = DistillOperator(task_id="second", stage="second", **place).execute({})
    assert (sealed["shards"], sealed["kept"]) == (2, 8)
    nothing = operator(recipe, store).execute({})
    assert nothing["shards"] == 0, "sealed: nothing to ask ahead"
    assert added_up(nothing)["tasks"] == 1


@pytest.mark.server
def test_answers_that_are_all_there_wait_for_their_verdicts_alone(tmp_path: Path) -> None:
    """Trap: another release of a recipe found all answers in the shared samples, and loaded each model for nothing."""
    policy = {"kind": "until_pass", "max": 4, "verifiers": [{"kind": "math"}]}
    recipe = load_recipe(written(tmp_path, first=distill("first", policy=policy)))
    store = Store.at((tmp_path / "store").as_uri(), create=True)
    with on_socket(solving(2)) as server:
        at = {"first": [{"url": server.url, "model": "first"}]}
        machine = Resources(workers=1, environment={**os.environ, ENDPOINTS: json.dumps(at)})
        for stage, shard in (("plan", 0), ("ingest", 0), ("ingest", 1)):
            run_shard(recipe, store, stage, shard, machine)
        ask_ahead(Without(recipe, []), store, "first", 0, machine)
    place = {"recipe": str(tmp_path / "two_teachers.yaml"), "store_url": Path(store.root).as_uri()}
    with pytest.raises(TaskDeferred) as deferred:
        DistillOperator(task_id="first", stage="first", shards=[0], **place).execute({})
    assert isinstance(deferred.value.trigger, LeaseTrigger)
    assert [name.startswith("beside-") for name in deferred.value.trigger.models] == [True]
    with pytest.raises(TaskDeferred) as deferred:
        DistillOperator(task_id="first", stage="first", shards=[1], **place).execute({})
    assert isinstance(deferred.value.trigger, LeaseTrigger)
    assert "first" in deferred.value.trigger.models
