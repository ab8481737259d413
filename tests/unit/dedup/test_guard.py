"""The guard: near-duplicates must agree in quantities, names and question; an embedding alone does not see these."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tracemill.dedup.guard import guards
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
    "name": ("Describe the work of Alan Turing", "Describe the work of Alan Kay"),
    "country": ("What is the capital of France?", "What is the capital of Spain?"),
    "superlative": ("Find the largest root", "Find the smallest root"),
    "parity": ("Sum the odd terms", "Sum the even terms"),
    "negation": ("Which of these is a fruit?", "Which of these is not a fruit?"),
    "function": (r"Integrate $\sin x$", r"Integrate $\cos x$"),
    "direction": ("Sort in ascending order", "Sort in descending order"),
    "operation": ("the sum of the digits", "the product of the digits"),
    "measure": ("Find the area of the circle", "Find the perimeter of the circle"),
    "chinese": ("求函数的最大值", "求函数的最小值"),
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


def test_more_names_than_are_looked_at_are_no_error() -> None:
    many = "we met " + " ".join(f"Na{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(400))
    assert agree(many, many + " again")
