"""A stage that has no money left is paused, not failed: it holds no worker, starts no server, and goes on later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType, TaskDeferred
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload, ErrorResponse, GetConnection, UpdateHITLDetail

from tests.build.priced import WEIGHTS, ran, served, tell
from tests.dags.graphs import XCom, first_event
from tracemill.engine.store import Store
from tracemill.models.budget import limit_said, say_limit
from tracemill.models.lease import live_leases, want, withdraw
from tracemill.recipe import load_recipe
from tracemill_airflow.cost_trigger import CostTrigger
from tracemill_airflow.form import spending
from tracemill_airflow.operators.stages import DistillOperator
from tracemill_airflow.pausing import Question
from tracemill_airflow.triggers import DemandTrigger, LeaseTrigger

PRICED = {**WEIGHTS, "serve": {"price": {"gpu_hour": 36.0}}}


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    return served(tmp_path, PRICED, cost_limit=0.5)


@pytest.fixture
def store(tmp_path: Path, recipe: str) -> Store:
    """A store on which a server has cost a dollar, which is more than may be, and is gone."""
    made = ran(recipe, tmp_path / "store", steps=["plan", "ingest"])
    tell(made, "one")
    for one in live_leases(made, "tiny", "org/tiny@abc"):
        withdraw(made, one)
    return made


def url(store: Store) -> str:
    return Path(store.root).as_uri()


def task() -> XCom:
    """The task that is paused, outside any run."""
    instance: Any = XCom()
    instance.task_id = "distill"
    instance.map_index = 0
    return instance  # type: ignore[no-any-return]


def paused(recipe: str, store: Store, context: dict[str, Any]) -> CostTrigger:
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1])
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context)
    assert isinstance(deferred.value.trigger, CostTrigger), "a limit that is exceeded at the start starts no server"
    assert deferred.value.method_name == "unpaused"
    return deferred.value.trigger


def test_a_stage_without_money_waits_for_a_higher_limit(recipe: str, store: Store) -> None:
    context: dict[str, Any] = {"ti": task()}
    trigger = paused(recipe, store, context)
    assert "cost_limit of 0.5 USD is reached (1.00 spent)" in context["ti"].pushed["paused"]
    assert context["shard_name"] == "paused at a limit: shards 0, 1"
    _, settings = trigger.serialize()
    waiting = CostTrigger(**settings)
    assert not waiting._is_raised()
    say_limit(store, 0.9)
    assert not waiting._is_raised(), "higher, and still less than what is spent"
    say_limit(store, 2.0)
    assert first_event(waiting) == {"state": "ready"}


def test_a_limit_is_raised_in_the_recipes_file_and_one_half_written_is_waited_for(recipe: str, store: Store) -> None:
    waiting = CostTrigger(url(store), recipe, 0.5)
    text = Path(recipe).read_text()
    Path(recipe).write_text("name: [")
    assert not waiting._is_raised()
    Path(recipe).write_text(text.replace("cost_limit: 0.5", "cost_limit: 3"))
    assert first_event(waiting) == {"state": "ready"}


def test_the_limit_of_one_model_is_waited_for_in_the_same_way(tmp_path: Path) -> None:
    api = {"url": "http://fake/v1", "model": "there", "price": {"input": 0, "output": 1e6}, "limit": 5.0}
    recipe = served(tmp_path, {"api": api})
    store = Store.at(str(tmp_path / "store"), create=True)
    waiting = CostTrigger(url(store), recipe, 5.0, "tiny")
    assert not waiting._is_raised()
    Path(recipe).write_text(Path(recipe).read_text().replace("limit: 5.0", "limit: 6.0"))
    assert waiting._is_raised()


def test_nobody_wakes_a_server_or_waits_for_one_while_the_run_is_paused(recipe: str, store: Store) -> None:
    """Trap: somebody wanted the model a moment ago, so its serve task would load it only to be told that."""
    want(store, "tiny")
    demand = DemandTrigger(url(store), recipe, "tiny")
    assert not demand._is_wanted()
    say_limit(store, 2.0)
    assert demand._is_wanted()
    say_limit(store, 0.6)
    lease = LeaseTrigger(url(store), {"tiny": "org/tiny@abc"}, patience=3600, recipe=recipe)
    _, settings = lease.serialize()
    assert first_event(LeaseTrigger(**settings)) == {"state": "ready"}, "the task looks itself, and is paused"


def test_sealed_shards_cost_nothing_more(tmp_path: Path) -> None:
    recipe = served(tmp_path, PRICED, cost_limit=0.5)
    store = ran(recipe, tmp_path / "store")
    tell(store, "one")
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1])
    assert operator.execute({})["computed"] == 0


def test_the_form_offers_the_limit_and_the_plan_says_it(recipe: str, store: Store) -> None:
    from tracemill_airflow.operators.plan import PlanOperator

    assert spending()["cost_limit"].schema["exclusiveMinimum"] == 0
    stages = tuple(load_recipe(recipe).pipeline())
    plan = PlanOperator(task_id="plan", recipe=recipe, store_url=url(store), stages=stages)
    plan.execute({"params": {"cost_limit": 7.5}, "ti": XCom()})
    assert limit_said(store) == 7.5


def test_what_people_answer_becomes_the_limit(recipe: str, store: Store) -> None:
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1])
    with pytest.raises(TaskDeferred) as again:
        operator.unpaused({"ti": task()}, {"chosen_options": ["Go on"], "params_input": {"cost_limit": 0.7}})
    assert isinstance(again.value.trigger, CostTrigger), "more, and still less than what is spent"
    assert (again.value.trigger.limit, limit_said(store)) == (0.7, 0.7)
    with pytest.raises(TaskDeferred) as on:
        operator.unpaused({"ti": task()}, {"chosen_options": ["Go on"], "params_input": {"cost_limit": 9}})
    assert isinstance(on.value.trigger, LeaseTrigger), "it goes on, and waits for its server"


class Airflow:
    """Stands where Airflow takes a task's and a trigger's messages: it keeps them, refuses some, and knows no place."""

    def __init__(self, *refused: int) -> None:
        self.said: list[Any] = []
        self._refused = list(refused)

    def send(self, msg: Any) -> Any:
        self.said.append(msg)
        if isinstance(msg, GetConnection):
            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
        if self._refused:
            status = self._refused.pop(0)
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": status}))
        return msg


def test_a_try_that_fails_leaves_its_question_to_the_next_one(
    recipe: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: the scheduler failed the try while people were asked. The limit was raised meanwhile, so the next try went
    on at once, and people were asked for ever; or they had answered, and were asked again.
    """
    airflow = Airflow()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", airflow, raising=False)
    monkeypatch.setenv("TRACEMILL_ON_FAILURE", "finish")
    context: dict[str, Any] = {"ti": task()}
    context["ti"].run_id = "manual"
    context["ti"].id = "01a22e03-2444-7e36-b224-aaf7d3ecd9a6"
    assert paused(recipe, store, context).asks
    say_limit(store, 9.0)
    again = paused(recipe, store, context)
    assert (again.asks, again.limit) == (True, 0.5), "it waits for what the first try asked"
    assert context["shard_name"] == "paused at a limit: shards 0, 1"
    assert len([said for said in airflow.said if isinstance(said, CreateHITLDetailPayload)]) == 1
    operator = DistillOperator(task_id="distill", recipe=recipe, store_url=url(store), shards=[0, 1], away=1.0)
    with pytest.raises(TaskDeferred) as on:
        operator.unpaused(context, {"params_input": {"cost_limit": 12}})
    assert isinstance(on.value.trigger, LeaseTrigger)
    assert limit_said(store) == 12
    with pytest.raises(TaskDeferred) as third:
        operator.execute(context)
    assert isinstance(third.value.trigger, LeaseTrigger), "nobody is asked any more"


@pytest.mark.parametrize(
    ("refused", "tries"),
    [
        pytest.param((), 1, id="taken"),
        pytest.param((500, 500), 3, id="the database is locked for a moment"),
        pytest.param((409,), 1, id="somebody answered first"),
        pytest.param((404,), 1, id="the try is gone"),
    ],
)
def test_a_question_is_closed_though_airflow_is_briefly_busy(
    refused: tuple[int, ...], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: one refusal was the last word, and people were asked for a limit after the run had ended."""
    airflow = Airflow(*refused)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", airflow, raising=False)
    asyncio.run(Question("01a22e03-2444-7e36-b224-aaf7d3ecd9a6").close())
    assert [type(said) for said in airflow.said] == [UpdateHITLDetail] * tries
