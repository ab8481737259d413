"""The guard: near-duplicates must agree in quantities; an embedding alone does not see these."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tracemill.dedup.agreement_key import guards, numberless
from tracemill.text.tokens import tokenise


def agree(one: str, other: str) -> bool:
    first, second = guards(tokenise(pa.array([one, other]))).tolist()
    return bool(first == second)


TRAPS = {
    "number": ("If 3 pens cost 6 dollars, what do 5 cost?", "If 4 pens cost 6 dollars, what do 5 cost?"),
    "numbers swapped in a formula": ("Solve 2x + 3 = 7", "Solve 3x + 2 = 7"),
    "base and exponent": ("Compute 3^5", "Compute 5^3"),
    "sign": ("Compute 3 + 4", "Compute 3 - 4"),
    "one number more": ("Add 3, 4 and 4", "Add 3 and 4"),
    "decimal point": ("It weighs 2.5 kg", "It weighs 25 kg"),
    "factorial": ("Find 5! here", "Find 5 here"),
    "coordinates": ("the point (3, 5)", "the point (5, 3)"),
    "variable": ("Find 3x here", "Find 3y here"),
}


@pytest.mark.parametrize(("one", "other"), TRAPS.values(), ids=TRAPS)
def test_problems_with_another_answer_never_agree(one: str, other: str) -> None:
    assert not agree(one, other)


REWORDED = {
    "politeness": ("Compute 3 + 4.", "Please compute 3 + 4 for me."),
    "synonym": ("Find the largest of 3 and 5", "Find the greatest of 3 and 5"),
    "order of clauses": ("With 3 pens and 5 cups, how many?", "How many with 5 cups and 3 pens?"),
    "number word": ("two of the 5 cars", "2 of the five cars"),
    "thousands": ("1,000 birds", "1000 birds"),
    "article before a unit": ("after a 5 kilometer walk", "after 5 kilometers of walking"),
    "name repeated": ("We saw Janet and Janet left", "We saw Janet and she left"),
    "layout": ("Solve $2x + 3 = 7$", "solve 2x+3=7"),
}


@pytest.mark.parametrize(("one", "other"), REWORDED.values(), ids=REWORDED)
def test_rewording_alone_keeps_the_guard(one: str, other: str) -> None:
    assert agree(one, other)


def test_guards_of_two_ways_of_writing_differ_in_the_last_bit() -> None:
    english, chinese = guards(tokenise(pa.array(["Divide 360 by 12.", "360除以12等于多少？"]))).tolist()
    assert english ^ chinese == 1
    assert set(guards(tokenise(pa.array(["no number", "没有数字的问题"]))).tolist()) == set(numberless().tolist())
