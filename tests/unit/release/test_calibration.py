"""The card says how often verdicts and labels agree with those of the sources, and how sure that is."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, kendalltau

from tests.build.tables import inputs_of
from tracemill.engine.proportions import wilson
from tracemill.release.calibration import Calibration
from tracemill.release.ordering import rank_correlation


def card(folder: Path, *shards: dict[str, list[dict[str, Any]]]) -> str:
    """The section over these shards."""
    inputs = inputs_of(folder, *shards)
    counted = Calibration()
    for shard in inputs.shards():
        counted.add(inputs, shard)
    return counted.section()


def cells(section: str) -> list[list[str]]:
    """The rows of its tables, without their heads."""
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not set("".join(line)) <= set("-:")]


def published(identity: str, verdict: bool | None, source: str = "books") -> dict[str, Any]:
    return {"id": identity, "problem_id": "p", "source": source, "source_verdict": verdict}


def ours(identity: str, verifier: str, status: str) -> dict[str, Any]:
    return {"generation_id": identity, "problem_id": "p", "verifier": verifier, "status": status}


def test_each_verifier_is_held_against_each_source_that_published_verdicts(tmp_path: Path) -> None:
    first = {
        "generations": [published("a", True), published("b", False), published("c", True), published("d", None)],
        "verdicts": [ours("a", "math", "pass"), ours("b", "math", "pass"), ours("c", "math", "unverifiable")],
    }
    second = {
        "generations": [published("e", True), published("f", False, "web")],
        "verdicts": [ours("e", "math", "fail"), ours("f", "math", "fail"), ours("e", "judge:q", "pass")],
    }
    head, *rows = cells(card(tmp_path, first, second))
    assert head[:5] == ["source", "judged by", "responses with a published verdict", "decided", "agree"]
    assert rows == [
        ["books", "judge:q", "1", "1", "1 (100.0 %)", "20.7 to 100.0 %", "0", "0"],
        ["books", "math", "4", "3", "1 (33.3 %)", "6.1 to 79.2 %", "1", "1"],
        ["web", "math", "1", "1", "1 (100.0 %)", "20.7 to 100.0 %", "0", "0"],
    ]


def labelled(*said: tuple[str | None, str, str, str]) -> dict[str, list[dict[str, Any]]]:
    """Problems by the source's difficulty and category, and the labeller's."""
    return {
        "problems": [
            {"id": f"p{k}", "source": "MATH", "difficulty": level, "category": category}
            for k, (level, category, _, _) in enumerate(said)
        ],
        "annotations": [
            {"problem_id": f"p{k}", "annotator": "qwen", "difficulty": word, "category": tag, "status": "labelled"}
            for k, (_, _, word, tag) in enumerate(said)
        ],
    }


def test_levels_words_and_categories_are_held_against_a_labeller(tmp_path: Path) -> None:
    shard = labelled(
        ("Level 1", "math", "very easy", "Math"),
        ("Level 3", "maths", "medium", "Logic"),
        ("Level 5", "math", "hard", "Math"),
        ("Level ?", "other", "easy", "Editing"),
        ("medium", "code", "hard", "Coding & Debugging"),
    )
    _, *rows = cells(card(tmp_path, shard))
    assert rows == [
        ["category", "MATH", "qwen", "4", "3 (75.0 %)", "30.1 to 95.4 %"],
        ["difficulty", "MATH", "qwen", "4", "3 (75.0 %)", "30.1 to 95.4 %", "0.80"],
    ]


def test_numbers_of_a_source_are_held_against_pass_rates_by_their_order(tmp_path: Path) -> None:
    shard = {
        "problems": [{"id": f"p{k}", "source": "omni", "difficulty_score": 1.5 * k} for k in range(4)],
        "grades": [
            {"problem_id": f"p{k}", "teacher": "r1", "mode": mode, "pass_rate": rate, "grade": grade}
            for mode in (None, "low")
            for k, (rate, grade) in enumerate([(1.0, "easy"), (0.5, "usable"), (0.25, "usable"), (0.0, "ungraded")])
        ],
    }
    _, *rows = cells(card(tmp_path, shard))
    assert [(row[2], row[3], row[-1]) for row in rows] == [
        ("pass rate of r1", "3", "1.00"),
        ("pass rate of r1, low", "3", "1.00"),
    ]


def test_a_card_without_published_labels_has_no_section(tmp_path: Path) -> None:
    shard = {"generations": [published("a", None)], "verdicts": [ours("a", "math", "pass")], "problems": [{"id": "p"}]}
    assert card(tmp_path, shard) == ""


PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30)


@given(PAIRS)
def test_the_correlation_is_kendalls(pairs: list[tuple[int, int]]) -> None:
    counts: dict[tuple[float, float], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    found = rank_correlation(counts) if counts else None
    alike = any(len({pair[side] for pair in pairs}) < 2 for side in (0, 1))
    if alike:
        assert found is None
    else:
        expected = kendalltau(*np.array(pairs).T).statistic
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 1), (3, 4), (50, 100), (0, 1000), (999, 1000)])
def test_the_interval_is_wilsons(hits: int, of: int) -> None:
    low, high = wilson(hits, of)
    expected = binomtest(hits, of).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("hits", "of"), combinations((0, 1, 2), 2))
def test_no_count_has_no_interval(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(of, hits)
