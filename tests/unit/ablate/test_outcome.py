"""What is told of an ablation: the smallest visible gain first, harm as harm, and nothing of what was not decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tracemill.ablate.arms import Arm, Plan, Unit
from tracemill.ablate.outcome import Outcome, outcome
from tracemill.ablate.page import FILE, lay_out, page
from tracemill.ablate.settings import Ablation
from tracemill.ablate.unit import ITEMS
from tracemill.errors import StoreError

SEEDS = 5
COUNT = 40
SAMPLES = 4


def table(rates: dict[str, float], benchmark: str = "b", undecided: int = 0, seed: int = 1) -> pl.DataFrame:
    """Students of each arm that are right so often; the first items were not decided for the last seed."""
    chance = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for arm, rate in rates.items():
        for seed in range(SEEDS):
            for item in range(COUNT):
                lost = item < undecided and seed == SEEDS - 1
                row = {"arm": arm, "seed": seed, "benchmark": benchmark, "title": benchmark.upper()}
                passed = 0 if lost else int(chance.binomial(SAMPLES, rate))
                rows.append({**row, "problem_id": f"p{item}", "decided": 0 if lost else SAMPLES, "passed": passed})
    return pl.DataFrame(rows, schema=ITEMS)


def plan(*arms: str) -> Plan:
    made = tuple(Arm(name, 10, 100, 1, 0, {}, {}) for name in arms)
    return Plan(made, tuple(Unit(name, seed, 1) for name in arms for seed in range(SEEDS)), 100)


def found(items: pl.DataFrame) -> Outcome:
    arms = items["arm"].unique(maintain_order=True).to_list()
    return outcome("small", Ablation(evaluation="e"), plan(*arms), items)


RATES = {"full": 0.6, "random": 0.3, "without_rules": 0.6, "without_verification": 0.35, "without_dedup": 0.85}


def test_a_stage_that_helps_one_that_harms_and_one_of_which_nothing_can_be_told() -> None:
    calls = dict(found(table(RATES)).gains.select("stage", "call").iter_rows())
    assert calls == {
        "all of them": "helpful",
        "rules": "not told",
        "verification": "helpful",
        "dedup": "harmful",
    }


def test_the_page_says_first_what_could_be_seen_at_all(tmp_path: Path) -> None:
    made = found(table(RATES))
    text = page(made)
    first = text.split("\n\n")[1]
    assert made.visible is not None
    assert first.startswith(f"The smallest difference that this could see is {100 * made.visible:.1f} points")
    assert text.index(first) < text.index("| stage |")
    assert next(iter(made.as_dict())) == "visible"


def test_items_that_were_not_decided_for_every_student_are_in_no_gain() -> None:
    """Trap: an item that one student was not asked about counts for the others alone."""
    rows = found(table(RATES, undecided=3)).gains
    assert set(rows["items"]) == {COUNT - 3}


def test_several_benchmarks_are_told_apart_and_together() -> None:
    two = pl.concat([table(RATES), table(RATES, "c", seed=2)])
    rows = found(two).gains
    assert rows["benchmark"].unique(maintain_order=True).to_list() == ["B", "C", "all"]
    assert rows.filter(pl.col("benchmark") == "all")["items"].to_list() == [2 * COUNT] * 4


def test_nothing_that_varies_is_said_in_words() -> None:
    made = found(table({"full": 1.0, "random": 1.0}))
    assert made.visible is None
    assert "no difference could be seen at all" in page(made)
    assert made.as_dict()["gains"][0]["call"] == "not told"


def test_arms_without_an_item_in_common_compare_nothing() -> None:
    rows = found(table({"full": 0.5, "random": 0.5}, undecided=COUNT)).gains
    assert rows.select("items", "gain", "call").rows() == [(0, None, "not told")]


@pytest.mark.slow
def test_the_folder_has_page_picture_and_parquet_and_no_other_files_are_overwritten(tmp_path: Path) -> None:
    made = found(table(RATES))
    lay_out(made, tmp_path / "outcome")
    lay_out(made, tmp_path / "outcome")
    names = {path.name for path in (tmp_path / "outcome").iterdir()}
    assert names == {"README.md", "gains.png", "gains.parquet", "items.parquet", FILE}
    assert pl.read_parquet(tmp_path / "outcome" / "gains.parquet").equals(made.gains)
    assert json.loads((tmp_path / "outcome" / FILE).read_text())["tokens"] == 100
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("x")
    with pytest.raises(StoreError, match="holds other files"):
        lay_out(made, tmp_path / "other")
