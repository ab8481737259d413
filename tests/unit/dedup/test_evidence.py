"""Rows whose answers differ are two problems, whatever their texts look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.build.shards import HASHING, Shards, problem
from tracemill.dedup.cluster import Cluster
from tracemill.dedup.sign import Sign
from tracemill.engine.store import Store
from tracemill.text.wording.evidence import compared, evidence

LONG = "a farmer has a field in the shape of a rectangle and wants to build a fence around it so that no sheep escape"
UNKNOWN = ("settee", "davenport")  # one thing, and no lexicon of ours knows it
SUITE = {"inputs": ["1 2", "3 4"], "outputs": ["3", "7"]}


def answer(text: str) -> dict[str, Any]:
    return {"reference_answer": text}


def suite_of(suite: object) -> dict[str, Any]:
    return {"test_case": orjson.dumps(suite).decode()}


VERDICTS = {
    "equal": (answer("42"), answer(" 42 "), "equal"),
    "another number": (answer("42"), answer("43"), "different"),
    "one value": (answer("1/2"), answer("0.5"), "equal"),
    "formulas": (answer("x+1"), answer("1+x"), "ask"),
    "only one has it": (answer("42"), {}, "unknown"),
    "constraints": ({"constraints": '{"a": 1}'}, {"constraints": '{"a": 2}'}, "different"),
    "constraints in another order": ({"constraints": '{"a":1,"b":2}'}, {"constraints": '{"b":2, "a":1}'}, "unknown"),
    "an input with two outputs": (suite_of(SUITE), suite_of({**SUITE, "outputs": ["3", "8"]}), "different"),
    "other inputs": (suite_of(SUITE), suite_of({"inputs": ["5 6"], "outputs": ["11"]}), "unknown"),
    "asserts": ({"test_case": "assert f(1) == 2"}, {"test_case": "assert f(1) == 3"}, "different"),
    "another function": ({"test_case": "assert f(1) == 2"}, {"test_case": "assert g(1) == 2"}, "different"),
}


@pytest.mark.parametrize(("one", "other", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_answers_are_compared(one: dict[str, Any], other: dict[str, Any], verdict: str) -> None:
    assert compared(evidence("Find it.", one), evidence("Find it.", other)) == verdict


def test_a_choice_stands_for_what_it_says() -> None:
    choices = evidence("What is 2 + 3? (A) 4 (B) 5 (C) 6", answer("B"))
    assert compared(choices, evidence("What is 2 + 3?", answer("5"))) == "equal"
    assert compared(choices, evidence("What is 2 + 3?", answer("6"))) == "different"
    other = evidence("What is 2 + 3? (A) 4 (B) 7 (C) 6", answer("B"))
    assert compared(choices, other) == "different"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def dropped(store: Store, *problems: dict[str, Any]) -> list[dict[str, Any]]:
    run = Shards(store, list(problems))
    run.run_all(Sign.model_validate({"kind": "sign", "embedder": HASHING}))
    found: list[dict[str, Any]] = run.run(Cluster(kind="cluster")).tables["duplicates"].to_pylist()
    return found


WHOLE = {
    "near, answers differ": (problem(LONG, **answer("7")), problem(f"{LONG} please", **answer("8")), None),
    "near, answers agree": (problem(LONG, **answer("7")), problem(f"{LONG} please", **answer("7.0")), "fuzzy"),
    "near, a verifier finds them equal": (
        problem(LONG, **answer("$x+1$")), problem(f"{LONG} please", **answer("$1+x$")), "fuzzy",
    ),
    "near, a verifier finds them different": (
        problem(LONG, **answer("$x+1$")), problem(f"{LONG} please", **answer("$x+2$")), None,
    ),
    "same text, answers differ": (problem(LONG, **answer("7")), problem(f"{LONG}!", **answer("8")), None),
    "same text, answers agree": (problem(LONG, **answer("7")), problem(f"{LONG}!", **answer("7")), "exact"),
    "same text but for one letter's case": (problem("The ASCII code of B?"), problem("The ASCII code of b?"), None),
    "same text but for a variable's case": (
        problem("Let A be 3 and a be 4. Find A."), problem("Let A be 3 and a be 4. Find a."), None,
    ),
    "same text but for a comma that says who is eaten": (
        problem("Explain the sentence: let us eat, grandma"), problem("Explain the sentence: let us eat grandma"), None,
    ),
    "same text in capitals": (problem(f"{LONG}?"), problem(f"{LONG}?".upper()), "exact"),
    "numbered": (problem(LONG), problem(f"12. {LONG} (5 points)"), "exact"),
    "without its drawing": (problem(f"{LONG} [asy]draw(1);[/asy]"), problem(LONG), "fuzzy"),
    "with another drawing": (problem(f"{LONG} [asy]draw(1);[/asy]"), problem(f"{LONG} [asy]draw(2);[/asy]"), None),
    "multiple choice and open": (
        problem(f"{LONG}, how long is it? (A) 4 (B) 5 (C) 6", **answer("B")),
        problem(f"{LONG}, how long is it?", **answer("5")),
        "fuzzy",
    ),
    "multiple choice with other choices": (
        problem(f"{LONG}, how long is it? (A) 4 (B) 5 (C) 6"),
        problem(f"{LONG}, how long is it? (A) 7 (B) 8 (C) 9"),
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "method"), WHOLE.values(), ids=WHOLE)
def test_rows_of_one_problem_are_one_and_others_stay(
    store: Store, one: dict[str, Any], other: dict[str, Any], method: str | None
) -> None:
    assert [row["method"] for row in dropped(store, one, other)] == ([method] if method else [])


def test_of_one_text_with_two_answers_every_answer_keeps_one_row(store: Store) -> None:
    rows = [problem(LONG + mark, **answer(text)) for mark, text in (("", "7"), ("!", "8"), ("!!", "7"), ("?", "8"))]
    said = {row["id"]: row["reference_answer"] for row in rows}
    found = dropped(store, *rows)
    assert len(found) == 2
    assert all(said[row["problem_id"]] == said[row["duplicate_of"]] for row in found)


def test_the_words_that_differ_are_written_down(store: Store) -> None:
    found = dropped(store, problem(LONG), problem(LONG.replace("build", "construct")))
    assert [row["differing"] for row in found] == [[]]
    one, other = (problem(f"{LONG} past 77 rocks and a {word} of 40 kg", **answer("12")) for word in UNKNOWN)
    assert [sorted(row["differing"]) for row in dropped(store, one, other)] == [["davenport", "sett"]]
