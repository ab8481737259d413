"""Decontaminate: four rules, their traps, and the evidence that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.shards import HASHING, Shards, problem
from tracemill.decontaminate.retold import CONTROLS, TOLD
from tracemill.decontaminate.step import Decontaminate
from tracemill.dedup.sign import Sign
from tracemill.engine.ids import problem_id
from tracemill.engine.store import Store
from tracemill.errors import RecipeError

SHORT = "What is 7 times 8?"
WALK = (
    "Every morning Aya goes for a walk of 9 kilometers and stops at a shop afterwards. When she walks at a constant "
    "speed of s kilometers per hour, the walk takes her 4 hours. How many minutes does a faster walk take her?"
)
BALLS = (
    "In a box there are 12 red, 7 blue, 9 green and 5 white balls. Then Anna takes 3 balls and Ben takes 4 balls; how "
    "likely is it that exactly 2 of them are red?"
)
TAIL = "where m and n are relatively prime positive integers. Find m + n."
DICE = f"A fair die is rolled again and again until the same face shows up, and the chance of this is m/n, {TAIL}"
URNS = f"An urn holds red and green balls, of which some are drawn without looking; the chance of it is m/n, {TAIL}"


@pytest.fixture
def bench(tmp_path: Path) -> str:
    path = tmp_path / "bench.jsonl"
    path.write_text("\n".join(json.dumps({"id": k, "q": q}) for k, q in enumerate([SHORT, WALK, DICE, URNS, BALLS])))
    return str(path)


def decontaminate(bench: str, **settings: Any) -> Decontaminate:
    entry = {"name": "bench", "path": bench, "field": "q", "id_field": "id"}
    data = {"kind": "decontaminate", "benchmarks": [entry], "embedder": HASHING, **settings}
    return Decontaminate.model_validate(data)


def judged(tmp_path: Path, step: Decontaminate, *texts: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    run = Shards(Store.at(str(tmp_path / "store"), create=True), [problem(text) for text in texts])
    run.run(Sign.model_validate({"kind": "sign", "embedder": HASHING}))
    output = run.run(step)
    return output.ledger.to_pylist(), output.tables["contamination"].to_pylist()


CAUGHT = {
    "the question itself": (WALK, "exact", "bench/1"),
    "another print of it": (WALK.upper().replace("KILOMETERS", "$KILOMETERS$"), "exact", "bench/1"),
    "a short question": ("what is $7$ times $8$", "exact", "bench/0"),
    "a short question with thanks": (f"Please answer this one as well: {SHORT} Thank you!", "ngram", "bench/0"),
    "within instructions": (f"Solve this. {WALK} Think step by step.", "exact", "bench/1"),
    "within a story": (f"My cousin asked me this at dinner. {WALK} I had no idea.", "ngram", "bench/1"),
    "in other words": (
        "On each of her morning walks of 9 km Aya ends up in a shop. Walking at s kilometers an hour all the time, she "
        "needs 4 hours. If she walks faster, how many minutes does she need?", "alignment", "bench/1",
    ),
    "in Chinese": (
        "阿雅每天早晨散步9公里，然后去商店。如果她以每小时s公里的不变速度步行，散步需要4小时。走得更快时，散步需要多少分钟？",
        "alignment", "bench/1",
    ),
    "its first half and a bit": (" ".join(BALLS.split()[:19]), "alignment", "bench/4"),
    "most of it": (WALK[: len(WALK) * 3 // 4], "ngram", "bench/1"),
    "a word changed": (WALK.replace("shop", "bar"), "ngram", "bench/1"),
    "other numbers and name": (
        BALLS.replace("12", "8").replace("9", "6").replace("5", "15").replace("Anna", "Eve").replace("4", "2"),
        "template", "bench/4",
    ),
    "words moved": (" ".join(sorted(WALK.split())), "alignment", "bench/1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "rule", "item"), CAUGHT.values(), ids=CAUGHT)
def test_a_benchmark_problem_is_caught(tmp_path: Path, bench: str, text: str, rule: str, item: str) -> None:
    step = decontaminate(bench, embedding=0.95 if rule == "template" else 0.9)
    ledger, evidence = judged(tmp_path, step, text, "Another problem altogether")
    assert [row["bucket"] for row in ledger] == ["rejected", "kept"]
    assert (ledger[0]["reason"], ledger[0]["detail"]) == (f"contaminated_{rule}", item)
    assert ledger[0]["score"] >= ledger[0]["threshold"]
    assert any(e["contaminated"] and e["rule"] == rule and e["item"] == item[6:] for e in evidence)


INNOCENT = {
    "boiler-plate of several items": f"Two cars race on a round track and meet at a time of m/n hours, {TAIL}",
    "short and other numbers": "What is 7 times 9?",
    "a longer one that holds a short one": "What is 7 times 8? Now add the digits of the result and square it.",
    "same subject": "Bo walks 9 kilometers to a shop every morning in 4 hours. What is her speed?",
    "empty": "",
}


@pytest.mark.parametrize("text", INNOCENT.values(), ids=INNOCENT)
def test_an_innocent_problem_is_kept(tmp_path: Path, bench: str, text: str) -> None:
    ledger, evidence = judged(tmp_path, decontaminate(bench), text)
    assert [row["bucket"] for row in ledger] == ["kept"], evidence


def test_the_evidence_of_an_alignment_says_what_is_equal_and_what_differs(tmp_path: Path, bench: str) -> None:
    text = CAUGHT["in other words"][0]
    _, evidence = judged(tmp_path, decontaminate(bench), text)
    facts = json.loads(next(e["evidence"] for e in evidence if e["rule"] == "alignment"))
    assert {"9", "4", "walk"} <= set(facts["same"]) | {"walk"}
    assert facts["numbers"] == [1.0, 1.0]
    assert "kilometer" not in facts["only_item"]


def test_evidence_has_the_strongest_item_per_benchmark_and_rule_also_below_the_threshold(
    tmp_path: Path, bench: str
) -> None:
    half = " ".join(WALK.split()[:28])
    step = decontaminate(bench, ngram=0.6, embedding=None, alignment=None, template=None)
    ledger, evidence = judged(tmp_path, step, half, f"{DICE} {WALK}")
    assert [row["bucket"] for row in ledger] == ["kept", "rejected"]
    assert [(e["problem_id"], e["item"], e["rule"], e["contaminated"]) for e in evidence] == [
        (problem_id(half), "1", "ngram", False),
        (problem_id(f"{DICE} {WALK}"), "1", "ngram", True),
    ]
    assert 0.54 <= evidence[0]["score"] < evidence[0]["threshold"] == pytest.approx(0.6)


def test_the_embedding_rule_without_a_step_sign_is_refused_at_once(tmp_path: Path, bench: str) -> None:
    run = Shards(Store.at(str(tmp_path / "store"), create=True), [problem(WALK), problem("Another problem altogether")])
    step = decontaminate(bench)
    with pytest.raises(RecipeError, match="no step of kind sign before it: add one, or set `embedding: null`"):
        run.run(step)
    ledger = run.run(decontaminate(bench, embedding=None)).ledger.to_pylist()
    assert [row["bucket"] for row in ledger] == ["rejected", "kept"]


def test_each_rule_can_be_turned_off(tmp_path: Path, bench: str) -> None:
    step = decontaminate(bench, ngram=None, embedding=None, alignment=None, template=None)
    ledger, _ = judged(tmp_path, step, WALK.replace("shop", "bar"))
    assert [row["bucket"] for row in ledger] == ["kept"]


def test_another_embedder_than_the_signatures_have_is_refused(tmp_path: Path, bench: str) -> None:
    step = decontaminate(bench, embedder={"kind": "hashing", "dimensions": 64})
    with pytest.raises(RecipeError, match="give both the same `embedder`"):
        judged(tmp_path, step, WALK)
    without = decontaminate(bench, embedder={"kind": "hashing", "dimensions": 64}, embedding=None)
    assert judged(tmp_path, without, WALK)[0][0]["reason"] == "contaminated_exact"


def test_a_changed_benchmark_file_changes_the_fingerprint_and_the_verdict(tmp_path: Path, bench: str) -> None:
    step = decontaminate(bench)
    run = Shards(Store.at(str(tmp_path / "store"), create=True), [problem("A new question that nobody asked before")])
    before = step.material(run.resources, run.inputs(step, 0))
    Path(bench).write_text(json.dumps({"id": 0, "q": "a new question that nobody asked before"}))
    assert step.material(run.resources, run.inputs(step, 0)) != before
    ledger, _ = judged(tmp_path, step, "A new question that nobody asked before")
    assert ledger[0]["reason"] == "contaminated_exact"


def test_two_benchmarks_of_one_name_are_refused() -> None:
    entry = {"name": "b", "path": "b.jsonl", "field": "q"}
    with pytest.raises(ValidationError, match="two benchmarks have the same name"):
        Decontaminate.model_validate({"kind": "decontaminate", "benchmarks": [entry, entry], "embedder": HASHING})


def test_an_empty_shard_is_no_special_case(tmp_path: Path, bench: str) -> None:
    assert judged(tmp_path, decontaminate(bench)) == ([], [])


def test_shard_0_measures_what_the_rules_catch(bench: str, tmp_path: Path) -> None:
    run = Shards(Store.at(str(tmp_path / "store"), create=True), [problem(WALK)], [problem(BALLS)])
    run.run_all(Sign.model_validate({"kind": "sign", "embedder": HASHING}))
    first, second = run.run_all(decontaminate(bench))
    found = {row["kind"]: (row["texts"], row["caught"]) for row in first.tables["mutants"].to_pylist()}
    assert found == {
        "copied": (5, 5),
        "wrapped": (5, 5),
        "partly_changed": (4, 4),
        "renumbered": (2, 2),
        "halved": (4, 3),
        "renamed": (2, 2),
        "spliced": (4, 0),
        "translated_to_chinese": (40, 38),
        "translated_to_english": (40, 40),
        "reworded": (40, 38),
        "other_numbers": (120, 0),
        "other_question": (120, 75),
    }
    assert "mutants" not in second.tables


def test_what_is_caught_follows_the_rules_of_the_run(bench: str, tmp_path: Path) -> None:
    step = decontaminate(bench, ngram=None, embedding=None, alignment=None, template=None)
    run = Shards(Store.at(str(tmp_path / "store"), create=True), [problem(WALK)])
    run.run(Sign.model_validate({"kind": "sign", "embedder": HASHING}))
    found = {row["kind"]: row["caught"] for row in run.run(step).tables["mutants"].to_pylist()}
    assert (found["copied"], found["wrapped"], found["partly_changed"]) == (5, 5, 0)  # instructions are no text
    assert {found[kind] for kind in (*TOLD, *CONTROLS)} == {0}  # no word and no n-gram is shared
