"""A unit that the reference leaves out passes only where the problem asks for it."""

from __future__ import annotations

import pytest

from tracemill.text.answer_text import normalised_answer
from tracemill.verify.math.answers.asked import asked_for
from tracemill.verify.math.answers.comparing import same_answer

CASES = [
    ("asked", "How many minutes does the walk take?", "9", r"9\text{ min}", True),
    ("another asked", "How many hours does the walk take?", "9", r"9\text{ min}", False),
    ("nothing named", "How long does the walk take?", "9", r"9\text{ min}", False),
    ("no problem at hand", "", "9", r"9\text{ min}", True),
    ("the only one named", "She walks 4 km, then 5 km. How far is that?", "9", r"9\text{ km}", True),
    ("not the one named", "She walks 4 km, then 5 km. How far is that?", "9", r"9\text{ m}", False),
    ("two named", "She walks 4 km, then 500 m. How far is that?", "9", r"9\text{ km}", False),
    ("two named, one asked", "She walks 4 km, then 500 m. How far is that in km?", "9", r"9\text{ km}", True),
    ("a derived unit", "A current of 3 A flows through 3 Ω. Find the voltage.", "9", r"9\text{ V}", True),
    ("money", "Sam has $4 and earns $5. How much is that?", "9", r"\$9", True),
    ("money in cents", "Sam has 4 cents and finds 5. How many cents are that?", "9", r"\$9", False),
    ("degrees", "Find the measure of angle $P$.", "9", r"9^\circ", True),
    ("an area", "A square has sides of 3 inches. Find its area.", "9", r"9\text{ square inches}", True),
    ("an area in other units", "A square has sides of 3 inches. Find its area.", "9", r"9\text{ cm}^2", False),
    ("a speed", "What is its speed, in miles per hour?", "9", r"9\text{ miles per hour}", True),
    ("a speed in other units", "What is its speed, in miles per hour?", "9", r"9\text{ km/h}", False),
    ("the noun asked for", "How many red apples are left of the 12 apples?", "9", r"9\text{ apples}", True),
    ("another noun", "There are boys and girls. How many boys are there?", "9", r"9\text{ girls}", False),
    ("one of its nouns", "How many of the balls are red? Say the number of balls.", "9", r"9\text{ red balls}", True),
    ("no noun asked for", "Of 12 apples 3 are eaten. How many are left?", "9", r"9\text{ apples}", True),
    ("Chinese", "每本书3元，3本书多少元？", "9", "9元", True),
    ("Chinese, another", "每本书3元，3本书多少元？", "9", "9角", False),
    ("rough, where rounding is asked", "What is that to the nearest whole number?", "9", r"\approx 9", True),
    ("rough, where nobody asked", "What is that number?", "9", r"\approx 9", False),
    ("rough in Chinese", "结果约为多少？", "9", "大约9", True),
    ("in a list", "How many minutes do the two walks take?", "9, 7", r"9\text{ h}, 7\text{ h}", False),
]


@pytest.mark.parametrize(("problem", "gold", "answer", "right"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_unit_is_compared_with_the_question(problem: str, gold: str, answer: str, right: bool) -> None:
    found = same_answer(normalised_answer(gold), normalised_answer(answer), asked_for(problem))
    assert found == ("equal" if right else "unknown")


def test_a_unit_of_the_reference_is_compared_with_the_reference() -> None:
    asked = asked_for("How many hours does it take?")
    assert same_answer("9 ⟦min⟧", "9 ⟦min⟧", asked) == "equal"
    assert same_answer("9 ⟦min⟧", "540 ⟦s⟧", asked) == "equal"


def test_a_long_problem_is_read_in_linear_time() -> None:
    assert asked_for("how many " * 50_000 + "minutes " * 1000).endswith("minutes")
