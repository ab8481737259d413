"""A pilot's task tells what it forecasts, where whoever looks at the run finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build.forecasting import PRICE, forecasting, machine
from tests.dags.graphs import XCom
from tracemill.cli.run import ran
from tracemill_airflow.operators.stages import PilotOperator


@pytest.mark.parametrize(("stage", "money"), [("pilot_dear", "money EUR"), ("pilot_cheap", "money")])
def test_a_pilot_pushes_its_forecast(tmp_path: Path, stage: str, money: str) -> None:
    recipe = forecasting(tmp_path, PRICE)
    store = ran(recipe, str(tmp_path / "store"), machine(), until=stage)
    ti = XCom()
    task = PilotOperator(task_id=stage, stage=stage, store_url=store.root)
    task.fed({"ti": ti}, recipe, store, {"stage": stage})  # type: ignore[typeddict-item]
    told = json.loads(json.dumps(ti.pushed["forecast"]))
    assert (told["problems"], told["tried"]) == (60, 30)
    assert (
        0
        < told["completion_tokens"]["low"]
        <= told["completion_tokens"]["expected"]
        <= told["completion_tokens"]["high"]
    )
    assert (told[money] is None) == (stage == "pilot_cheap"), "what has no price costs nobody knows what"


def test_a_pilot_that_is_not_there_pushes_nothing(tmp_path: Path) -> None:
    recipe = forecasting(tmp_path, None, ("cheap",))
    store = ran(recipe, str(tmp_path / "store"), machine(), until="ingest")
    ti = XCom()
    PilotOperator(task_id="pilot", store_url=store.root).fed({"ti": ti}, recipe, store, {})  # type: ignore[typeddict-item]
    assert ti.pushed == {}
