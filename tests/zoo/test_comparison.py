"""What the judge thinks follows from the two values alone."""

from __future__ import annotations

from random import Random

import pytest

from zoo.comparison import comparison
from zoo.problems import problem
from zoo.templates import lead
from zoo.train import tokenizer

ITEM = problem(Random(1), "arithmetic", 1, "en")
RIGHT = str(ITEM.reference_answer)
LEAD = lead("correctness", "reference_answer")


def thought(answer: str, with_reference: bool = True) -> str:
    return comparison(ITEM, answer, with_reference, LEAD)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        pytest.param(f"The answer is \\boxed{{{RIGHT}}}.\n", f"\\boxed{{{RIGHT}}}", id="boxed"),
        pytest.param(f"The answer is {RIGHT}.\n", f"The answer is {RIGHT}.", id="unboxed"),
        pytest.param(f"\\boxed{{{RIGHT}}} or \\boxed{{7}}", f"\\boxed{{{RIGHT}}}\\boxed{{7}}", id="two values"),
    ],
)
def test_equal_values_agree_in_every_digit(answer: str, shown: str) -> None:
    lines = thought(answer).splitlines()
    assert lines[:4] == ["- Reference Answer: (May be empty)", f"  {RIGHT}", "", shown]
    assert lines[4:] == [f"{digit}{digit} yes" for digit in RIGHT]


def test_a_longer_value_differs_where_the_reference_has_ended() -> None:
    assert thought(f"\\boxed{{{RIGHT}0}}").endswith(".0 no\n")


@pytest.mark.parametrize("answer", ["", "I do not know.", "is The is The"])
def test_no_value_is_said_to_be_none(answer: str) -> None:
    assert thought(answer).endswith("\n\nnone\n")


def test_without_a_reference_the_problem_is_worked_out_in_its_place() -> None:
    working = "\n".join(ITEM.thought)
    assert thought("", with_reference=False) == f"{LEAD}\n{working}\n{RIGHT}\n\nnone\n"


def test_what_is_quoted_follows_one_token_in_the_prompt() -> None:
    """A value can be copied when the token before it stands nowhere else: the words up to the place are one token."""
    assert tokenizer().tokenize(f"{LEAD}51")[1:] == ["5", "1"]
