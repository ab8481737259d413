"""Pairs of answers with the right word: what is equal passes in every dress, what is not never does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.verdicts.mutants import FRAMES, mutants, noise
from tracemill.text.answer_text import normalised_answer
from tracemill.text.extract import stated
from tracemill.verify.math.answers.comparing import same_answer

LINES = Path(__file__).with_name("pairs.txt").read_text(encoding="utf-8").splitlines()
PAIRS = [
    tuple(part.strip() for part in line.replace("|-9|", "ABS").rsplit(" | ", 2) if part)
    for line in LINES
    if line and not line.startswith("#")
]
REFERENCES = (
    "17", r"\frac{5}{12}", r"3\sqrt{7}", "(4, -9)", r"x^2 - 6x + 1", r"\left[ 2, 5 \right)", r"64\pi", "12, 30",
    "5 + 8i", r"\{2, 4, 9\}", r"y = 3x - 7", r"\begin{pmatrix} 3 \\ -8 \end{pmatrix}", r"\text{Dora}", r"\text{(C)}",
    "2143_5",
)  # fmt: skip


def said(gold: str, answer: str) -> str:
    return same_answer(normalised_answer(gold.replace("ABS", "|-9|")), normalised_answer(answer))


def test_there_are_enough_pairs() -> None:
    assert len({pair[:2] for pair in PAIRS}) >= 200
    assert {pair[2] for pair in PAIRS} == {"equal", "different", "unknown"}


@pytest.mark.parametrize(("gold", "answer", "right"), PAIRS, ids=[f"{one} ~ {two}" for one, two, _ in PAIRS])
def test_pairs(gold: str, answer: str, right: str) -> None:
    found = said(gold, answer)
    assert found == right or (right == "different" and found == "unknown")


@pytest.mark.parametrize("gold", [pair[0] for pair in PAIRS if "ABS" not in pair[0]][::3])
def test_every_answer_is_itself(gold: str) -> None:
    assert said(gold, gold) == "equal"


@pytest.mark.parametrize("gold", REFERENCES)
def test_no_mutant_is_equal_and_every_frame_is(gold: str) -> None:
    assert [pair for pair in mutants(gold) if said(*pair) == "equal"] == []
    assert [frame for frame in FRAMES if said(gold, stated(frame.replace("ANSWER", gold)).text) != "equal"] == []


def test_random_values_are_told_apart_and_found_again_in_other_spellings() -> None:
    chance = random.Random(7)
    for _ in range(300):
        top, bottom = chance.randint(-999, 999), chance.randint(2, 99)
        spelled = chance.choice(
            (f"{top}/{bottom}", rf"\dfrac{{{top}}}{{{bottom}}}", rf"\frac{{{3 * top}}}{{{3 * bottom}}}")
        )
        assert said(rf"\frac{{{top}}}{{{bottom}}}", spelled) == "equal"
        assert said(rf"\frac{{{top}}}{{{bottom}}}", rf"\frac{{{top + 1}}}{{{bottom}}}") == "different"


def test_noise_is_answered_and_changes_nothing_that_follows() -> None:
    probe = (r"\sqrt{50}", r"5\sqrt{2}")
    for seed in range(400):
        one, other = normalised_answer(noise(seed)), normalised_answer(noise(seed + 5000))
        assert same_answer(one, other) in {"equal", "different", "unknown"}
        assert same_answer(one, one) == "equal" or not one
    assert same_answer(*probe) == "equal"
