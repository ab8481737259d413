"""What a statement says of how answers compare, in the many spellings of real ones, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from tracemill.verify.statements import comparison_in, is_in_place

SEVERAL = {"several": True}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("If there are multiple answers, print any.", SEVERAL),
        ("If several plans exist, you may output any of them.", SEVERAL),
        ("In case of more than one valid order, print one of them.", SEVERAL),
        ("Output any suitable matrix, or $-1$.", SEVERAL),
        ("Print $n$ integers — any such permutation.", SEVERAL),
        ("You may return the answer in any order.", SEVERAL),
        ("The pairs can be printed in an arbitrary order.", SEVERAL),
        ("Note that the answer is not necessarily unique.", SEVERAL),
        ("Any schedule with at most two stops will be accepted.", SEVERAL),
        ("如果有多个解，输出任意一个即可。", SEVERAL),
        ("Если ответов несколько, выведите любой.", SEVERAL),
        ("If there are multiple answers, print the smallest one.", {}),
        ("If there are many ways, output the lexicographically smallest.", {}),
        ("Return an empty string if you did not find any vowel.", {}),
        ("If you can't find any, return zero.", {}),
        ("In one move you can choose any stone and throw it.", {}),
        ("The stones may be taken in any order. Print how many are left.", {}),
        ("Print -1 if no set with more than one stone exists.", {}),
        ("Print the answer in any case (upper or lower).", {"any_case": True}),
        ('You can output "YES" and "NO" in any case.', {"any_case": True}),
        ("Letters may be printed in any register.", {"any_case": True}),
        ("The answer is case-insensitive.", {"any_case": True}),
        ("答案大小写不敏感。", {"any_case": True}),
        ("In any case, the answer exists.", {}),
        ("Print NO if it is in any case where he loses.", {}),
        (
            "Your answer is correct if its absolute or relative error does not exceed $10^{-4}$.",
            {"rel": 1e-4, "abs": 1e-4},
        ),
        ("An error of at most 1e-6 is allowed.", {"rel": 1e-6, "abs": 1e-6}),
        ("Answers within 0.001 of the right one are fine.", {"rel": 1e-3, "abs": 1e-3}),
        ("The price rose from 10 to 1000 within 3 days.", {}),
        ("Add two numbers.", {}),
    ],
)
def test_what_a_statement_says(statement: str, said: dict[str, Any]) -> None:
    found = comparison_in(f"You are given some stones.\n\n{statement}\n")
    assert {key: pytest.approx(value) for key, value in found.items()} == said


@pytest.mark.parametrize(
    ("statement", "in_place"),
    [
        ("Rotate the matrix in-place, by ninety degrees.", True),
        ("Do not return anything, modify the list instead.", True),
        ("请原地修改数组。", True),
        ("Return the rotated matrix.", False),
        ("Each stone stays in place. Return how many there are.", False),
    ],
)
def test_a_function_that_changes_its_argument_is_known(statement: str, in_place: bool) -> None:
    assert is_in_place(statement) is in_place
