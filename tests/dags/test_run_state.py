"""Who waits for whom in a DAG run, and that nobody waits for what has ended for good."""

from __future__ import annotations

import pytest

from tracemill_airflow.run_state import have_ended, have_failed

RUN = {
    "plan": "success",
    "prepare.label_0": "success",
    "refine.distill_0": "failed",
    "refine.distill_1": "success",
    "refine.judge_0": "upstream_failed",
    "refine.judge_1": "running",
    "serve_0": "running",
    "serve_1": "failed",
    "distill_existing": "running",
}


@pytest.mark.parametrize(
    ("tasks", "ended"),
    [
        (["distill"], True),
        (["judge"], False),
        (["distill", "judge"], False),
        (["serve"], False),
        pytest.param(["reward"], False, id="a task that nobody knows has not ended"),
        pytest.param(["still"], False, id="the end of another name is not it"),
        pytest.param([], False, id="no task at all"),
    ],
)
def test_tasks_have_ended_when_all_their_instances_have(tasks: list[str], ended: bool) -> None:
    assert have_ended(RUN, tasks) is ended


def test_a_server_that_may_be_tried_again_has_not_failed() -> None:
    assert not have_failed(RUN, ["serve"])
    assert not have_failed({**RUN, "serve_0": "up_for_retry"}, ["serve"])
    assert have_failed({**RUN, "serve_0": "success"}, ["serve"])
    assert not have_failed({"serve_0": "success"}, ["serve"])
    assert not have_failed({}, ["serve"])
