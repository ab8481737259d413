"""What an evaluation says of models: item by item, with what was cut, could not be told, or was never asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.evaluate.step import Evaluate

Tables = dict[str, list[dict[str, Any]]]
NEW = {"base": "2024-01-01", "student": "2026-01-01"}


def shard(benchmark: str, items: Mapping[str, Mapping[str, str]], days: Mapping[str, str] | None = None) -> Tables:
    """One shard of `benchmark`: by item and model its samples, p(assed), f(ailed), u(ndecided), c(ut)."""
    made: Tables = {"problems": [], "generations": [], "scores": [], "grades": []}
    for item, models in items.items():
        known = {"source": benchmark, "released_as": benchmark.upper(), "reference_answer": "7", "category": "math"}
        made["problems"].append({"id": item, "native_id": f"#{item}", "published": (days or {}).get(item), **known})
        for model, marks in models.items():
            for sample, mark in enumerate(marks):
                key = {"problem_id": item, "teacher": model, "sample_index": sample}
                identity = f"{item}/{model}/{sample}"
                said = {"p": "\\boxed{7}", "f": "\\boxed{8}", "u": "perhaps", "c": None}[mark]
                ended = "length" if mark == "c" else "stop"
                made["generations"].append({"id": identity, **key, "answer_content": said, "finish_reason": ended})
                passed = {"p": True, "f": False, "u": None, "c": False}[mark]
                reason = "cut" if mark == "c" else None
                verdict = {"rule": "math", "category": "math", "passed": passed, "reason": reason}
                made["scores"].append({"generation_id": identity, **key, **verdict})
            decided = len(marks) - marks.count("u")
            counts = {"asked": len(marks), "decided": decided, "passed": marks.count("p"), "tokens": 10 * len(marks)}
            made["grades"].append({"problem_id": item, "teacher": model, **counts})
    return made


def evaluated(folder: Path, *shards: Tables, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """The tables of the step, every living problem accounted for."""
    step = Evaluate.model_validate({"kind": "evaluate", "draws": 500, "second_opinion": False, **settings})
    inputs = inputs_of(folder, *shards)
    output = step.run(Resources(workers=1), inputs)
    reconcile("evaluate", step, inputs, output)
    return {name: table.to_pylist() for name, table in output.tables.items()}


def by_model(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["benchmark"], row["teacher"]): row for row in rows}


def test_an_item_counts_once_whatever_its_samples(tmp_path: Path) -> None:
    rows = evaluated(tmp_path, shard("b", {"i": {"s": "pppp"}, "j": {"s": "f"}, "k": {"s": "pf"}}))["evaluations"]
    (row,) = rows
    assert (row["pass_at_1"], row["items"], row["answered"], row["asked"]) == (0.5, 3, 3, 7)
    assert row["low"] < 0.5 < row["high"]
    assert row["visible"] > 0


def test_what_was_cut_counts_as_failed_and_is_told(tmp_path: Path) -> None:
    (row,) = evaluated(tmp_path, shard("b", {"i": {"s": "pc"}, "j": {"s": "pp"}}))["evaluations"]
    assert (row["pass_at_1"], row["cut"], row["tokens"]) == (0.75, 0.25, 10)


def test_what_cannot_be_told_is_in_no_score_but_in_its_bounds(tmp_path: Path) -> None:
    (row,) = evaluated(tmp_path, shard("b", {"i": {"s": "pu"}, "j": {"s": "uu"}, "k": {"s": "ff"}}))["evaluations"]
    assert (row["pass_at_1"], row["answered"], row["items"]) == (0.5, 2, 3)
    assert row["at_least"] == pytest.approx((0.5 + 0 + 0) / 3)
    assert row["at_most"] == pytest.approx((1 + 1 + 0) / 3)


def test_an_item_that_nobody_answered_is_no_answer_and_is_not_forgotten(tmp_path: Path) -> None:
    """Trap: an item without a grade would be missing from a join, and the score would be one of an easier benchmark."""
    tables = evaluated(tmp_path, shard("b", {"i": {"s": "pp"}, "refused": {}}), shard("b", {"gone": {}}))
    (row,) = tables["evaluations"]
    assert (row["items"], row["answered"], row["pass_at_1"], row["at_least"], row["at_most"]) == (3, 1, 1.0, 1 / 3, 1.0)
    items = {item["problem_id"]: item for item in tables["evaluation_items"]}
    assert (items["gone"]["teacher"], items["gone"]["asked"], items["gone"]["samples"]) == ("s", 0, 0)


def test_a_benchmark_that_no_model_answered_is_told(tmp_path: Path) -> None:
    rows = evaluated(tmp_path, shard("b", {"i": {"s": "pp"}}), shard("dead", {"x": {}}))["evaluations"]
    dead = by_model(rows)["dead", None]  # type: ignore[index]
    assert (dead["items"], dead["answered"], dead["pass_at_1"], dead["at_least"]) == (1, 0, None, 0.0)


def test_one_problem_in_two_benchmarks_is_an_item_of_each(tmp_path: Path) -> None:
    found = by_model(evaluated(tmp_path, shard("b", {"i": {"s": "pp"}}), shard("c", {"i": {"s": "ff"}}))["evaluations"])
    assert (found["b", "s"]["pass_at_1"], found["c", "s"]["pass_at_1"]) == (1.0, 0.0)


def test_models_are_compared_on_the_items_that_both_answered(tmp_path: Path) -> None:
    items = {f"i{n}": {"base": "pf", "student": "pp"} for n in range(20)}
    tables = evaluated(
        tmp_path, shard("b", {**items, "alone": {"base": "ff"}, "undecided": {"base": "p", "student": "u"}})
    )
    (row,) = tables["evaluation_differences"]
    assert (row["teacher"], row["other"], row["items"], row["difference"]) == ("base", "student", 20, -0.5)
    assert row["high"] < 0


def test_days_of_items_and_models_are_told(tmp_path: Path) -> None:
    days = {"i": "2025-02-06", "j": "2025-02-12"}
    items = {name: {"base": "p", "student": "p"} for name in days}
    rows = by_model(evaluated(tmp_path, shard("b", items, days), released=NEW)["evaluations"])
    assert [rows["b", model]["released"] for model in NEW] == list(NEW.values())
    assert {(row["first"], row["last"]) for row in rows.values()} == {("2025-02-06", "2025-02-12")}


@pytest.mark.slow
def test_plain_math_verify_is_asked_about_every_answer_that_was_not_cut(tmp_path: Path) -> None:
    """An answer whose score is another than math-verify's word is listed with both."""
    tables = shard("b", {"i": {"s": "pfc"}, "j": {"s": "pu"}})
    tables["generations"][0]["answer_content"] = "The answer is $\\boxed{8}$."  # scored as passed
    tables["generations"][4]["answer_content"] = "So it is $\\boxed{7}$."  # scored as undecided
    found = evaluated(tmp_path, tables, second_opinion=True)
    told = {(row["generation_id"], row["ours"], row["second"]) for row in found["second_opinions"]}
    assert told == {("i/s/0", "pass", "fail"), ("j/s/1", "undecided", "pass")}
    (row,) = found["evaluations"]
    assert row["second"] == pytest.approx((0 / 3 + 2 / 2) / 2)


def test_nobody_is_asked_where_the_recipe_does_not_want_it(tmp_path: Path) -> None:
    found = evaluated(tmp_path, shard("b", {"i": {"s": "pf"}}))
    assert found["second_opinions"] == []
    assert found["evaluations"][0]["second"] is None
