"""A grade says what a model solves of a problem, how sure that is, and nothing where too little is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from tests.build.graded import response, run, verdict
from tests.build.tables import inputs_of
from tracemill.grade.grades import Bands, graded
from tracemill.grade.intervals import pass_rate_interval

PAPER = Bands(0.0, 1.0, 2, 0.9, 0)
THRESHOLD = 0.7


def summed(scores: list[float | None], bands: Bands = PAPER) -> dict[str, Any]:
    """The grade of one model on one problem with these scores."""
    key = {"problem_id": "p", "teacher": "t", "mode": None}
    schema = {"problem_id": pl.String, "teacher": pl.String, "mode": pl.String}
    rows = [
        {**key, "sample_index": k, "score": s, "passed": None if s is None else s > THRESHOLD}
        for k, s in enumerate(scores)
    ]
    more = {"sample_index": pl.Int32, "score": pl.Float64, "passed": pl.Boolean}
    every = pl.DataFrame(rows, schema={**schema, **more})
    spent = pl.DataFrame([], schema={**schema, "tokens": pl.Int64, "seconds": pl.Float64})
    asked = pl.DataFrame([key], schema=schema)
    (row,) = graded(every, spent, asked, bands).to_dicts()
    return row


# Section 2.4's worked examples; its formula divides by n, its numbers by n - 1.
EXAMPLES = {
    "the spread one": ([0.9, 0.1, 0.7, 0.3, 0.5], (0.283, 0.566), (0.316, 0.632)),
    "C": ([0.6, 0.8, 0.7, 0.7, 0.7], (0.063, 0.090), (0.071, 0.101)),
    "D": ([0.3, 0.5, 0.4, 0.4, 0.4], (0.063, 0.158), (0.071, 0.177)),
}


@pytest.mark.parametrize(("scores", "formula", "printed"), EXAMPLES.values(), ids=EXAMPLES)
def test_both_readings_of_the_papers_variation(
    scores: list[float | None], formula: tuple[float, float], printed: tuple[float, float]
) -> None:
    for ddof, expected in ((0, formula), (1, printed)):
        row = summed(scores, PAPER._replace(ddof=ddof))  # type: ignore[arg-type]
        assert (round(row["deviation"], 3), round(row["variation"], 3)) == expected


@pytest.mark.parametrize(("passes", "formula", "printed"), [(1, 1.732, 2.0), (2, 1.0, 1.155), (3, 0.577, 0.667)])
def test_variation_of_four_passes(passes: int, formula: float, printed: float) -> None:
    scores: list[float | None] = [*[1.0] * passes, *[0.0] * (4 - passes)]
    assert round(summed(scores)["variation"], 3) == formula
    assert round(summed(scores, PAPER._replace(ddof=1))["variation"], 3) == printed


NO_SPREAD = {"deviation": None, "variation": None}
DEFINED: dict[str, tuple[list[float | None], dict[str, Any]]] = {
    "no sample": ([], {"asked": 0, "decided": 0, "pass_rate": None, "low": None, "high": None, "grade": "ungraded"}),
    "none that could be told": ([None, None], {"asked": 2, "decided": 0, "mean": None, **NO_SPREAD, "low": None}),
    "one sample": ([1.0], {"decided": 1, "pass_rate": 1.0, "mean": 1.0, **NO_SPREAD, "grade": "ungraded"}),
    "one decided of four": ([None, 0.0, None, None], {"asked": 4, "decided": 1, "grade": "ungraded", **NO_SPREAD}),
    "all noughts": ([0.0, 0.0], {"mean": 0.0, "deviation": 0.0, "variation": None, "grade": "hopeless", "low": 0.0}),
    "all equal, above": ([0.8, 0.8, 0.8], {"deviation": 0.0, "variation": 0.0, "grade": "easy", "high": 1.0}),
    "all equal, below": ([0.1, 0.1, 0.1], {"deviation": 0.0, "variation": 0.0, "grade": "hopeless", "highest": 0.1}),
    "some pass": ([1.0, 0.0, 0.0, None], {"asked": 4, "decided": 3, "passed": 1, "grade": "usable", "highest": 1.0}),
}


@pytest.mark.parametrize(("scores", "expected"), DEFINED.values(), ids=DEFINED)
def test_what_is_not_defined_is_null_and_what_is_little_known_is_no_grade(
    scores: list[float | None], expected: dict[str, Any]
) -> None:
    row = summed(scores)
    assert {name: row[name] for name in expected} == expected


@given(st.lists(st.none() | st.floats(0, 1, allow_subnormal=False), max_size=9))
@settings(max_examples=60, deadline=None)
def test_what_could_not_be_told_is_in_no_numerator_and_no_denominator(scores: list[float | None]) -> None:
    row = summed(scores)
    decided: list[float | None] = [score for score in scores if score is not None]
    assert row | {"asked": 0} == summed(decided) | {"asked": 0}
    assert row["asked"] == len(scores)
    assert row["passed"] <= row["decided"] <= row["asked"]
    if row["decided"]:
        assert 0 <= row["low"] <= row["pass_rate"] <= row["high"] <= 1
    else:
        assert row["grade"] == "ungraded"


def test_the_interval_is_jeffreys_and_covers_what_it_says() -> None:
    low, high = pass_rate_interval([0, 1, 2, 4, 0], [4, 4, 4, 4, 0], 0.9)
    assert np.allclose(low[:4], [0, *beta.ppf(0.05, [1.5, 2.5, 4.5], [3.5, 2.5, 0.5])])
    assert np.allclose(high[:4], [*beta.ppf(0.95, [0.5, 1.5, 2.5], [4.5, 3.5, 2.5]), 1])
    assert math.isnan(low[4])
    assert math.isnan(high[4])
    rates = np.linspace(0.005, 0.995, 199)
    for samples in (4, 8, 16):
        counts = np.arange(samples + 1)
        lows, highs = pass_rate_interval(counts, np.full(samples + 1, samples), 0.9)
        inside = (lows[None] <= rates[:, None]) & (rates[:, None] <= highs[None])
        covered = (binom.pmf(counts[None], samples, rates[:, None]) * inside).sum(axis=1).mean()
        assert 0.88 < covered < 0.95, samples


def test_a_model_that_answered_only_some_problems_was_asked_nothing_of_the_others(tmp_path: Path) -> None:
    found = inputs_of(
        tmp_path,
        {
            "problems": [{"id": "p", "category": "math"}, {"id": "q", "category": "math"}],
            "generations": [
                response("a0", completion_tokens=7, seconds=1.5),
                response("a1", sample_index=1, completion_tokens=5),
                response("b0", teacher="u"),
                response("b1", problem_id="q", teacher="u"),
                response("b2", problem_id="q", teacher="u", sample_index=3),
            ],
            "verdicts": [verdict(g, "math", "pass") for g in ("a0", "b1", "b2")] + [verdict("a1", "math", "fail")],
        },
    )
    _, grades, reasons = run(found)
    told = {(g["problem_id"], g["teacher"]): (g["asked"], g["decided"], g["passed"], g["grade"]) for g in grades}
    assert told == {
        ("p", "t"): (2, 2, 1, "usable"),
        ("p", "u"): (1, 0, 0, "ungraded"),
        ("q", "t"): (0, 0, 0, "ungraded"),
        ("q", "u"): (4, 2, 2, "easy"),  # samples 1 and 2 were asked for and never came
    }
    assert [(g["tokens"], g["seconds"]) for g in grades] == [(12, 1.5), (None, None), (None, None), (None, None)]
    assert reasons == {"p": None, "q": None}


def test_modes_of_one_model_are_graded_apart(tmp_path: Path) -> None:
    modes = [None, "low", "high"]
    rows = [response(f"{mode}{k}", mode=mode, sample_index=k) for mode in modes for k in range(2)]
    verdicts = [verdict(row["id"], "math", "fail" if row["mode"] == "low" else "pass") for row in rows]
    found = inputs_of(
        tmp_path, {"problems": [{"id": "p", "category": "math"}], "generations": rows, "verdicts": verdicts}
    )
    _, grades, _ = run(found)
    assert [(g["mode"], g["grade"]) for g in grades] == [(None, "easy"), ("high", "easy"), ("low", "hopeless")]
