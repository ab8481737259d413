"""The verify task beside a stage with a sampling policy: who gets one, who wakes whom, and who ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from tests.dags.graphs import dag_file, first_event
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.local.beside import seats
from tracemill.models.lease import wanted
from tracemill.recipe import load_recipe
from tracemill.verify.parts import lease_name
from tracemill_airflow.graph import fits, stages_of
from tracemill_airflow.operators.beside import BesideOperator, BesideProgramsOperator
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.stages import DistillOperator
from tracemill_airflow.triggers import LeaseTrigger, VerdictTrigger

VERIFIERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "no policy": ([], {}),
    "mathematics": (["math"], {"beside": "default"}),
    "programs": (["code"], {"beside_programs": "sandbox"}),
    "both": (["math", "code"], {"beside_programs": "sandbox"}),
}


def written(folder: Path, verifiers: list[str]) -> Path:
    """A recipe that distils a demo source until a trace passes these verifiers."""
    policy = {"kind": "until_pass", "max": 4, "verifiers": [{"kind": kind} for kind in verifiers]}
    model = {"name": "tiny", "weights": "org/tiny", "revision": "abc"}
    teacher: dict[str, Any] = {"kind": "chat", "model": model, **({"policy": policy} if verifiers else {})}
    data = {
        "name": "besides",
        "description": "A shard to distil.",
        "sources": [{"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math", "limit": 5}],
        "steps": {"distill": {"kind": "distill", "teacher": teacher}},
    }
    path = folder / "besides.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    return str(written(tmp_path, ["math"]))


@pytest.fixture
def store(tmp_path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in which everything before the distilling is done, and the model has an endpoint."""
    monkeypatch.setenv("TRACEMILL_ENDPOINTS", '{"tiny": [{"url": "http://x", "model": "tiny"}]}')
    found, loaded = Store.at((tmp_path / "store").as_uri(), create=True), load_recipe(recipe)
    for stage in ("plan", "ingest"):
        run_shard(loaded, found, stage, 0, Resources(workers=1))
    return found


def url(store: Store) -> str:
    return Path(store.root).as_uri()


@pytest.mark.parametrize(("verifiers", "tasks"), VERIFIERS.values(), ids=VERIFIERS)
def test_a_recipe_gets_a_verify_task_on_the_queue_that_its_policy_needs(
    tmp_path: Path, verifiers: list[str], tasks: dict[str, str]
) -> None:
    dag = dag_file("reasoning_distillation").distillation("b", stages_of(written(tmp_path, verifiers)), ["besides"])
    found = {task.task_id: task.queue for task in dag.tasks if task.operator_name.startswith("Beside")}
    assert found == tasks


def test_a_recipe_whose_policy_needs_verdicts_fits_no_graph_without_the_task(tmp_path: Path) -> None:
    plain, judged = (stages_of(written(tmp_path, kinds)) for kinds in ([], ["math"]))
    assert not fits(judged, plain)
    assert fits(plain, judged)


def test_a_graph_without_the_task_refuses_such_a_recipe_at_once(tmp_path: Path, recipe: str) -> None:
    """Trap: its text is given to a form whose graph has all of its stages, and the run waits for verdicts for ever."""
    plan = PlanOperator(
        task_id="plan", stages=("plan", "ingest", "distill"), recipe=recipe, store_url=(tmp_path / "new").as_uri()
    )
    with pytest.raises(RecipeError, match="verdicts come from the task 'beside', which this DAG has not"):
        plan.execute({"params": {}})


def test_a_stage_waits_deferred_until_somebody_judges_and_wakes_them(recipe: str, store: Store) -> None:
    """Trap: as many stages as workers, all waiting for verdicts, and none left for the task that gives them."""
    (seated,) = seats(load_recipe(recipe), Resources())
    name = lease_name(seated.seat.bench)
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0])
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, LeaseTrigger)
    assert trigger.models == {name: seated.seat.bench}
    trigger.patience = 0
    assert first_event(trigger) == {"state": "late", "missing": [name]}
    assert wanted(store, name)
    assert first_event(VerdictTrigger(url(store), recipe, programs=False)) == {"state": "wanted"}


def test_the_task_gives_its_place_up_until_it_is_wanted_and_ends_when_nobody_needs_it(
    recipe: str, store: Store
) -> None:
    operator = BesideOperator(task_id="beside", recipe=recipe, store_url=url(store))
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert isinstance(deferred.value.trigger, VerdictTrigger)
    assert operator.judge({}, {"state": "over"}) == {"why": "nobody needs it"}


def test_a_recipe_without_such_a_policy_skips_it(recipe: str, store: Store) -> None:
    with pytest.raises(AirflowSkipException, match="no sampling policy"):
        BesideProgramsOperator(task_id="beside_programs", recipe=recipe, store_url=url(store)).execute({})
