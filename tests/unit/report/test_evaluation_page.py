"""The page of an evaluation: what a model may have known, what papers say beside it, and what differs."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.build.tables import inputs_of
from tracemill.engine.tables import columns_of
from tracemill.evaluate.papers import PUBLISHED, beside
from tracemill.report.evaluation import Evaluation
from tracemill.report.evaluation_page import page

SCORE = {
    "benchmark": "b",
    "title": "AIME 2025",
    "teacher": "student",
    "items": 2,
    "answered": 2,
    "asked": 8,
    "decided": 7,
}
SCORE |= {"passed": 4, "pass_at_1": 0.5, "low": 0.25, "high": 0.75, "visible": 0.3, "at_least": 0.4, "at_most": 0.6}
SCORE |= {"cut": 0.125, "tokens": 900.0, "first": "2025-02-06", "last": "2025-02-12"}
ITEMS = [
    {"problem_id": "p", "published": "2025-02-06", "decided": 4, "passed": 4},
    {"problem_id": "q", "published": "2025-02-12", "decided": 4, "passed": 1},
]


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = pl.DataFrame(columns_of(name).empty_table()).schema
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema)


def found(tmp_path: Any, **score: Any) -> Evaluation:
    items = [{**item, "benchmark": "b", "teacher": "student"} for item in ITEMS]
    parts = (frame("evaluations", [{**SCORE, **score}]), frame("evaluation_items", items))
    empty = (frame("evaluation_differences", []), frame("second_opinions", []))
    return Evaluation("mine", 0.9, *parts, *empty, "f" * 64, inputs_of(tmp_path), {"r1": "2025-02-06"})


@pytest.mark.parametrize(
    ("released", "says"),
    [
        pytest.param("2025-01-20", "after the model (2025-01-20): it cannot have seen them", id="items are younger"),
        pytest.param("2025-02-12", "it may have seen all of them", id="out on the day of the last item"),
        pytest.param(
            "2025-02-06",
            "1 items (100.0 %) not after the model (2025-02-06), 1 items (25.0 %) after it",
            id="some are older: both scores",
        ),
        pytest.param(None, "nobody said when the model did", id="nobody said"),
    ],
)
def test_what_a_model_may_have_known_is_told_by_days(tmp_path: Any, released: str | None, says: str) -> None:
    assert says in page(found(tmp_path, released=released))


def test_what_a_teacher_may_have_known_is_told_though_nobody_asked_it(tmp_path: Any) -> None:
    text = page(found(tmp_path, released="2025-12-01"))
    assert "AIME 2025, r1 (a teacher): its items came out 2025-02-06 to 2025-02-12: 1 items not after the model" in text


def test_items_without_a_day_are_no_statement(tmp_path: Any) -> None:
    assert "nobody said when its items came out" in page(found(tmp_path, first=None, last=None))


def test_a_score_stands_beside_the_papers_with_what_it_was_made_of(tmp_path: Any) -> None:
    text = page(found(tmp_path))
    assert "| AIME 2025 | student | 50.0 | 25.0 to 75.0 | 30.0 | 12.5 | 40.0 | 60.0 | 2 of 2 | 7 of 8 | 900 |" in text
    assert "| AIME 2025 | student-of-AM-Thinking-v1 | 72.2 | 64 | 49,152 |" in text
    assert "AIME 2024" not in text


def test_a_benchmark_that_nobody_published_has_no_rows_beside_it(tmp_path: Any) -> None:
    assert "the papers" not in page(found(tmp_path, title="mine"))


def test_a_model_that_answered_nothing_has_no_score(tmp_path: Any) -> None:
    blank = dict.fromkeys(("pass_at_1", "low", "high", "visible", "cut", "tokens"))
    assert "| AIME 2025 | student |  |  |  |" in page(found(tmp_path, **blank, answered=0))


def test_livecodebench_is_put_beside_every_window_that_was_published() -> None:
    windows = {row.benchmark for row in beside("LiveCodeBench 2024-10-01 to 2025-02-28")}
    assert len(windows) == 3
    assert all(name.startswith("LiveCodeBench") for name in windows)


def test_published_scores_are_per_cent_of_named_models() -> None:
    assert all(20 < row.score < 100 for row in PUBLISHED)
    assert len({(row.benchmark, row.model, row.paper) for row in PUBLISHED}) == len(PUBLISHED) == 43
