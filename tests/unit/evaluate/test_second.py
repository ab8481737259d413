"""Plain math-verify, shut in: it says what it says outside, and no answer can hang it or reach anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from math_verify import parse, verify

from tracemill.evaluate.second import SecondOpinion
from tracemill.verify.math.pool import Pair

pytestmark = pytest.mark.slow
CASES = {
    "equal": (r"\frac{1}{2}", r"So it is $\boxed{0.5}$.", "pass"),
    "different": ("3", r"\boxed{4}", "fail"),
    "a set in another order": (r"\{1,2\}", r"$\boxed{\{2,1\}}$", "pass"),
    "nothing to read": ("3", "I cannot say.", "unreadable_answer"),
    "no answer": ("3", "", "unreadable_answer"),
    "the last of several": ("4", r"First $\boxed{3}$, no: $\boxed{4}$.", "pass"),
}


def test_its_words_are_those_of_the_library() -> None:
    with SecondOpinion(1) as second:
        found = second.words([Pair(gold, answer) for gold, answer, _ in CASES.values()])
    assert dict(zip(CASES, found, strict=True)) == {name: word for name, (_, _, word) in CASES.items()}


def test_an_answer_that_is_computed_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracemill.evaluate.second.CPU_SECONDS", 1.0)
    with SecondOpinion(1) as second:
        found = second.words([Pair("3", "$9^{9^{9^{9}}}$"), Pair("3", "$3$")])
    assert found[0] != "pass"
    assert found[1] == "pass"


@pytest.mark.real_data
def test_shut_in_it_says_of_published_responses_what_it_says_outside() -> None:
    """Trap: a library that loads a part of itself late finds no file any more, and fails what it cannot read."""
    path = Path(os.environ.get("TRACEMILL_DATA", "/nowhere")) / "math_cot_100x8.jsonl"
    if not path.is_file():
        pytest.skip("TRACEMILL_DATA names no folder with the public samples")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [Pair(row["answer"], row["code"][0]) for row in rows]
    with SecondOpinion(1) as second:
        found = second.words(pairs)
    outside = [verify(parse(f"$\\boxed{{{gold}}}$"), parse(answer)) for gold, answer, _ in pairs]
    assert [word == "pass" for word in found] == outside
