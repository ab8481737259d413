"""Where a number is cut: over everything, or apart for each category or teacher, by a quantile or by its own number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs
from tracemill.engine.thresholds import Cut
from tracemill.select.cut import CutStep

STEP: TypeAdapter[CutStep] = TypeAdapter(CutStep)
OWN = {"r1": 20.0, "qwen": 9.0}


def cutting(**settings: Any) -> CutStep:
    return STEP.validate_python({"kind": "cut", "metric": "perplexity", **settings})


def measured(folder: Path) -> Inputs:
    """Four responses of two teachers to problems of two categories."""
    values = [("a", "p", "r1", 2.0), ("b", "q", "r1", 4.0), ("c", "p", "qwen", 8.0), ("d", "q", "qwen", 16.0)]
    return inputs_of(
        folder,
        {
            "problems": [{"id": "p", "category": "math"}, {"id": "q", "category": ""}],
            "generations": [{"id": g, "problem_id": p, "teacher": t} for g, p, t, _ in values],
            "measurements": [
                {"generation_id": g, "metric": "perplexity", "measurer": "m", "value": v} for g, _, _, v in values
            ],
        },
    )


CASES: dict[str, tuple[dict[str, Any], dict[str, tuple[float, float | None]]]] = {
    "an absolute number": ({"threshold": 20.0}, {"*": (20.0, None)}),
    "a quantile": ({"quantile": 0.5}, {"*": (6.0, 0.5)}),
    "a quantile by category": ({"quantile": 0.5, "by": "category"}, {"math": (5.0, 0.5), "other": (10.0, 0.5)}),
    "a quantile by teacher": (
        {"quantile": 0.5, "by": "teacher"},
        {"teacher qwen": (12.0, 0.5), "teacher r1": (3.0, 0.5)},
    ),
    "its own number by teacher": (
        {"thresholds": OWN, "by": "teacher"},
        {"teacher qwen": (9.0, None), "teacher r1": (20.0, None)},
    ),
    "its own number, the others by quantile": (
        {"thresholds": {"r1": 20.0}, "quantile": 0.5, "by": "teacher"},
        {"teacher qwen": (12.0, 0.5), "teacher r1": (20.0, None)},
    ),
    "its own number by category, in another spelling": (
        {"thresholds": {"Mathematics": 7.0}, "threshold": 20.0, "by": "category"},
        {"math": (7.0, None), "other": (20.0, None)},
    ),
    "its own number by category": (
        {"thresholds": {"math": 7.0}, "threshold": 20.0, "by": "category"},
        {"math": (7.0, None), "other": (20.0, None)},
    ),
}


@pytest.mark.parametrize(("settings", "expected"), CASES.values(), ids=CASES)
def test_each_group_has_its_threshold(
    tmp_path: Path, settings: dict[str, Any], expected: dict[str, tuple[float, float | None]]
) -> None:
    cuts = cutting(**settings).run(Resources(), measured(tmp_path)).tables["cuts"].to_pylist()
    assert {cut["group"]: (cut["threshold"], cut["quantile"]) for cut in cuts} == expected


def test_settings_that_were_not_there_before_change_no_fingerprint(tmp_path: Path) -> None:
    assert "thresholds" not in cutting(quantile=0.9).settings(measured(tmp_path))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"thresholds": OWN}, "by category or teacher: say which", id="of-nobody"),
        pytest.param({"thresholds": {"r1": float("nan")}, "by": "teacher"}, "no finite number", id="no-number"),
        pytest.param({"threshold": float("nan")}, "threshold is no finite number", id="not-a-number"),
        pytest.param({}, "nothing says where to cut", id="nothing"),
        pytest.param({"quantile": 0.5, "threshold": 20.0}, "give one of them", id="two"),
        pytest.param(
            {"thresholds": {"IF": 1.0, "ifeval": 2.0}, "by": "category"}, "in two spellings", id="spelt-twice"
        ),
    ],
)
def test_thresholds_that_can_cut_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        cutting(**settings)


@pytest.mark.parametrize("values", [(1.0, 1.0000000000000002), (3e7, 3e7 + 1e-8), (4.0, 4.0), (5e-324, 0.0), (2.0,)])
def test_values_that_all_but_agree_are_all_counted(tmp_path: Path, values: tuple[float, ...]) -> None:
    """The same text in two batches of a server: perplexities that differ in the last bit."""
    rows = [
        {"generation_id": f"g{k}", "metric": "perplexity", "measurer": "m", "value": v} for k, v in enumerate(values)
    ]
    generations = [{"id": row["generation_id"], "problem_id": "p", "teacher": "t"} for row in rows]
    tables = {"problems": [{"id": "p"}], "generations": generations, "measurements": rows}
    (cut,) = cutting(quantile=0.5).run(Resources(), inputs_of(tmp_path, tables)).tables["cuts"].to_pylist()
    assert sum(cut["counts"]) == cut["rows"] == len(values)
    assert cut["edges"][0] <= min(values) <= cut["threshold"] <= max(values) <= cut["edges"][-1]


@pytest.mark.parametrize(
    ("bounds", "said"),
    [({"at_most": float("nan")}, "at_most is no number"), ({"at_least": 5.0, "at_most": 3.0}, "no number stays")],
)
def test_bounds_between_which_nothing_lies_are_refused(bounds: dict[str, float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Cut(**bounds)
