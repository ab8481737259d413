"""Operators open the store, run a stage, and return counts. Each case is a way a task meets the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowSkipException, AirflowTaskTimeout, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from tests.dags.graphs import XCom
from tracemill.errors import ConservationError, RecipeError, SourceError, StoreError, VerifierError
from tracemill.recipe import load_recipe
from tracemill.sandbox.base import SandboxError
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY, StageOperator
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.shards import batches, span
from tracemill_airflow.operators.stages import LabelOperator


def plan(store: Path, **settings: Any) -> PlanOperator:
    stages = settings.pop("stages", list(load_recipe("demo").pipeline()))
    return PlanOperator(task_id="plan", recipe="demo", store_url=store.as_uri(), stages=stages, **settings)


def test_plan_returns_every_shard_once(tmp_path: Path) -> None:
    ti = XCom()
    found = plan(tmp_path).execute({"ti": ti})  # type: ignore[typeddict-item]
    flat = sorted(shard for batch in found for shard in batch)
    assert flat == list(range(len(flat)))
    assert ti.pushed["summary"]["computed"] == 1


@pytest.mark.parametrize(
    ("shards", "shards_per_task", "sizes"),
    [
        pytest.param(0, 0, [], id="nothing planned: no task"),
        pytest.param(1, 0, [1], id="one shard: one task"),
        pytest.param(10, 0, [5, 5], id="few shards: two tasks"),
        pytest.param(5000, 0, [25] * 200, id="many shards: never more than 200 mapped tasks"),
        pytest.param(10, 4, [4, 3, 3], id="the user's own size, at most"),
    ],
)
def test_batches(shards: int, shards_per_task: int, sizes: list[int]) -> None:
    found = batches(range(shards), shards_per_task)
    assert [len(batch) for batch in found] == sizes
    assert sorted(shard for batch in found for shard in batch) == list(range(shards))


def test_no_task_gets_all_shards_of_a_source() -> None:
    """Trap: the last three shards hold all programs; in one task they ran while the other one's processor idled."""
    programs = {7, 8, 9}
    assert [len(programs & set(batch)) for batch in batches(range(10))] == [1, 2]


@pytest.mark.parametrize(
    ("shards", "name"),
    [([3], "shard 3"), ([0, 2, 4], "shards 0, 2, 4"), ([1, 5, 9, 13, 17], "shards 1, 5 … 17")],
)
def test_a_task_is_called_by_its_shards(shards: list[int], name: str) -> None:
    assert span(shards) == name


def test_a_second_plan_finds_the_first_one_sealed(tmp_path: Path) -> None:
    first, second = XCom(), XCom()
    plan(tmp_path).execute({"ti": first})  # type: ignore[typeddict-item]
    plan(tmp_path).execute({"ti": second})  # type: ignore[typeddict-item]
    assert second.pushed["summary"]["computed"] == 0


def test_what_is_sealed_gets_no_task(tmp_path: Path) -> None:
    first, second = XCom(), XCom()
    group = ["ingest", "label"]
    work = plan(tmp_path, feeds=group).execute({"ti": first})  # type: ignore[typeddict-item]
    *done, left = [shard for batch in work for shard in batch]
    for stage in group:
        StageOperator(task_id=stage, stage=stage, recipe="demo", store_url=tmp_path.as_uri(), shards=done).execute({})
    again = plan(tmp_path, feeds=group).execute({"ti": second})  # type: ignore[typeddict-item]
    assert again == [[left]]
    assert second.pushed["summary"]["shards"] == 1 + len(done) * len(group)
    assert second.pushed["summary"]["computed"] == 0


def test_a_shard_that_lacks_its_first_stage_gets_its_tasks(tmp_path: Path) -> None:
    """Trap: its later stages are sealed, but for inputs that this run makes anew."""
    group = ["ingest", "label"]
    plan(tmp_path).execute({"ti": XCom()})  # type: ignore[typeddict-item]
    for stage in group:
        StageOperator(task_id=stage, stage=stage, recipe="demo", store_url=tmp_path.as_uri()).execute({})
    for manifest in tmp_path.glob("ingest/00000/*.json"):
        manifest.unlink()
    (tmp_path / "ingest" / "00000.json").unlink()
    assert plan(tmp_path, feeds=group).execute({"ti": XCom()})[0][0] == 0  # type: ignore[typeddict-item]


def test_a_recipe_without_the_stage_between_two_groups_still_names_the_batches(tmp_path: Path) -> None:
    shards = plan(tmp_path).execute({"ti": XCom()})  # type: ignore[typeddict-item]
    ti = XCom()
    operator = StageOperator(
        task_id="x", stage="no_such_stage", feeds=["label"], recipe="demo", store_url=tmp_path.as_uri()
    )
    assert operator.execute({"ti": ti}) == shards  # type: ignore[typeddict-item]
    assert ti.pushed["summary"]["shards"] == 0


def test_a_recipe_with_a_stage_that_no_task_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="verify_code"):
        plan(tmp_path, stages=["plan", "ingest"]).execute({"ti": XCom()})  # type: ignore[typeddict-item]


def test_a_stage_that_the_recipe_lacks_is_skipped(tmp_path: Path) -> None:
    plan(tmp_path).execute({"ti": XCom()})  # type: ignore[typeddict-item]
    operator = StageOperator(task_id="x", stage="no_such_stage", recipe="demo", store_url=tmp_path.as_uri())
    with pytest.raises(AirflowSkipException, match="no_such_stage"):
        operator.execute({})  # type: ignore[typeddict-item]


def test_only_plan_makes_a_store_because_an_unmounted_disk_is_no_empty_store(tmp_path: Path) -> None:
    operator = LabelOperator(task_id="label", recipe="demo", store_url=tmp_path.as_uri())
    with pytest.raises(StoreError, match="holds no tracemill store"):
        operator.execute({})  # type: ignore[typeddict-item]


def test_a_store_that_cannot_be_written_is_the_worlds_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    operator = LabelOperator(task_id="label", recipe="demo", store_url=(tmp_path / "file" / "store").as_uri())
    with pytest.raises(StoreError, match="retry"):
        operator.execute({})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "action"),
    [
        pytest.param(StoreError("bucket is away"), RetryAction.RETRY, id="store away"),
        pytest.param(ConnectionResetError(), RetryAction.RETRY, id="connection lost"),
        pytest.param(SandboxError("slot died"), RetryAction.RETRY, id="the sandbox's own fault"),
        pytest.param(VerifierError("no worker starts"), RetryAction.RETRY, id="a verifier that cannot start"),
        pytest.param(
            AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 500})),
            RetryAction.RETRY,
            id="Airflow's own server or database",
        ),
        pytest.param(RecipeError("no such key"), RetryAction.FAIL, id="recipe"),
        pytest.param(SourceError("no such file"), RetryAction.FAIL, id="source"),
        pytest.param(ConservationError("lost a row"), RetryAction.FAIL, id="a row was lost: a bug"),
        pytest.param(TypeError("a bug"), RetryAction.FAIL, id="any other bug"),
        pytest.param(AirflowTaskTimeout("Timeout"), RetryAction.FAIL, id="longer than it may take"),
    ],
)
def test_only_the_world_is_tried_again(error: BaseException, action: RetryAction) -> None:
    assert RETRY_THE_WORLD_ONLY.evaluate(error, 1, 4).action == action
