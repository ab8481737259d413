"""A gate applies the cuts that were measured: each measurer's own, each group's own; every row has one number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.build.tables import inputs_of, sealed_rows
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs
from tracemill.errors import MissingInput
from tracemill.select.gate import Gate

Row = tuple[str, str | None, float | None, float | None]


def cut(threshold: float | None, measurer: str = "m", group: str = "*", metric: str = "reward") -> dict[str, Any]:
    return {"metric": metric, "measurer": measurer, "group": group, "threshold": threshold}


def score(value: float, measurer: str = "m", response: str = "g") -> dict[str, Any]:
    return {"generation_id": response, "problem_id": "p", "reward_model": measurer, "score": value}


def gated(folder: Path, cuts: list[dict[str, Any]], rewards: list[dict[str, Any]], **settings: Any) -> Row:
    """Bucket, reason, score and threshold of the response `g` to a problem of mathematics."""
    before = inputs_of(
        folder,
        {
            "problems": [{"id": "p", "category": "math"}],
            "generations": [{"id": "g", "problem_id": "p", "teacher": "r1"}],
            "rewards": rewards,
        },
    )
    measured = sealed_rows(before.store, 0, {"cuts": cuts}, "cut")
    inputs = Inputs(before.store, 0, before.sealed, [measured], 1)
    (row,) = Gate(kind="gate", metric="reward", **settings).run(Resources(), inputs).ledger.to_pylist()
    return row["bucket"], row["reason"], row["score"], row["threshold"]


LOW = "low_reward"


@pytest.mark.parametrize(
    ("cuts", "rewards", "settings", "expected"),
    [
        pytest.param([cut(0.5)], [score(0.5)], {}, ("kept", None, 0.5, 0.5), id="at the threshold"),
        pytest.param([cut(0.5)], [score(0.25)], {}, ("rejected", LOW, 0.25, 0.5), id="below it"),
        pytest.param([cut(0.5)], [score(0.75)], {"keep": "below"}, ("rejected", LOW, 0.75, 0.5), id="kept below"),
        pytest.param([cut(0.5)], [score(0.5)], {"keep": "below"}, ("kept", None, 0.5, 0.5), id="below and at it"),
        pytest.param([cut(0.5)], [], {}, ("kept", "unmeasured", None, None), id="not measured"),
        pytest.param([cut(0.5)], [score(float("nan"))], {}, ("kept", "unmeasured", None, None), id="not a number"),
        pytest.param(
            [cut(0.5), cut(2.0, "n")],
            [score(0.6), score(1.0, "n"), score(0.1)],
            {},
            ("rejected", LOW, 1.0, 2.0),
            id="the first of two that it fails",
        ),
        pytest.param(
            [cut(0.5), cut(2.0, "n")], [score(0.6), score(3.0, "n")], {}, ("kept", None, 3.0, 2.0), id="it passes both"
        ),
        pytest.param(
            [cut(0.1, group="code"), cut(0.9, group="math")],
            [score(0.5)],
            {},
            ("rejected", LOW, 0.5, 0.9),
            id="the cut of its category",
        ),
        pytest.param(
            [cut(0.1, group="teacher qwen"), cut(0.9, group="teacher r1")],
            [score(0.5)],
            {},
            ("rejected", LOW, 0.5, 0.9),
            id="the cut of its teacher",
        ),
        pytest.param([cut(0.1), cut(0.9)], [score(0.5)], {}, ("rejected", LOW, 0.5, 0.9), id="measured twice"),
        pytest.param(
            [cut(0.1), cut(0.9, metric="score"), cut(None)],
            [score(0.5)],
            {},
            ("kept", None, 0.5, 0.1),
            id="of another metric, of nothing",
        ),
    ],
)
def test_a_response_is_kept_by_the_number_that_decided(
    tmp_path: Path, cuts: list[dict[str, Any]], rewards: list[dict[str, Any]], settings: dict[str, Any], expected: Row
) -> None:
    assert gated(tmp_path, cuts, rewards, **settings) == expected


def test_a_group_without_a_threshold_is_named(tmp_path: Path) -> None:
    """`thresholds` had a number for other teachers alone."""
    cuts = [{**cut(0.5), "group": "teacher other"}, {**cut(0.5), "group": "teacher r1", "threshold": None}]
    with pytest.raises(MissingInput, match="has no threshold for teacher r1: give the others"):
        gated(tmp_path, cuts, [score(0.4)])


@pytest.mark.parametrize("cuts", [[], [cut(0.5, "other")]], ids=["none", "another measurer's"])
def test_a_number_without_a_cut_is_an_error(tmp_path: Path, cuts: list[dict[str, Any]]) -> None:
    with pytest.raises(MissingInput, match="no cut of reward for m"):
        gated(tmp_path, cuts, [score(0.5)])


@pytest.mark.parametrize("keep", ["above", "below"])
def test_nothing_passes_a_threshold_that_is_no_number(tmp_path: Path, keep: str) -> None:
    """Trap: of two numbers one of which is none, a comparison of columns takes that one for the larger."""
    assert gated(tmp_path, [cut(float("nan"))], [score(0.5)], keep=keep)[:2] == ("rejected", LOW)
