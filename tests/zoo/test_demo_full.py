"""The problems of `make demo-full`: the same on every machine, and none of them on both sides."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from zoo import demo_full
from zoo.problems import HELD_OUT, TRAINING, is_held_out


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """What is written, of fewer problems."""
    demo_full.write(tmp_path / "new", {"problems.jsonl": (TRAINING, 300), "held_out.jsonl": (HELD_OUT, 60)})
    return {path.name: [json.loads(line) for line in path.open()] for path in (tmp_path / "new").iterdir()}


def test_no_prompt_is_on_both_sides_or_twice_on_one(files: dict[str, list[dict[str, Any]]]) -> None:
    learned = [row["prompt"] for row in files["problems.jsonl"]]
    measured = [row["prompt"] for row in files["held_out.jsonl"]]
    assert (len(learned), len(measured)) == (300, 60)
    assert len({*learned, *measured}) == 360
    assert not any(is_held_out(prompt) for prompt in learned)
    assert all(is_held_out(prompt) for prompt in measured)


def test_every_problem_has_an_answer_and_there_are_all_levels(files: dict[str, list[dict[str, Any]]]) -> None:
    rows = [row for part in files.values() for row in part]
    assert all(int(row["reference_answer"]) is not None and row["category"] == "math" for row in rows)
    assert {row["level"] for row in rows} == {f"level {level}" for level in range(1, 6)}


def test_problems_are_a_pure_function(files: dict[str, list[dict[str, Any]]]) -> None:
    """Trap: a store of yesterday is reused whole only if today's problems are its own."""
    again = [item.prompt for item in islice(demo_full.chosen(TRAINING), 300)]
    assert again == [row["prompt"] for row in files["problems.jsonl"]]


def test_there_is_nothing_half_written(files: dict[str, list[dict[str, Any]]]) -> None:
    assert set(files) == {"problems.jsonl", "held_out.jsonl"}
