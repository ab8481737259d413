"""Whether two references are the same answer, as the verifier itself would say."""

from __future__ import annotations

import pytest

from tracemill.verify.math.same_answer import same_answers

PAIRS = [
    ("spelling", r"\dfrac{7}{4}", "7/4", "equal"),
    ("other_number", "19", "23", "different"),
    ("blank", "", "4", "unknown"),
    ("both_blank", " ", "", "unknown"),
    ("same_prose", "The ball falls after it rises", "The ball falls  after it rises", "equal"),
    ("other_prose", "The ball falls after it rises", "The ball rises after it falls", "unknown"),
]


def test_each_pair_gets_its_word_in_its_place_also_when_pairs_repeat() -> None:
    asked = [(first, second) for _, first, second, _ in PAIRS]
    words = [word for *_, word in PAIRS]
    assert same_answers([*asked, *asked], workers=1) == [*words, *words]


def test_no_pairs_need_no_worker() -> None:
    assert same_answers([], workers=1) == []


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_within_a_pair_does_not_matter_to_numbers(turned: bool) -> None:
    pair = ("0.5", r"\frac{1}{2}")
    assert same_answers([pair[::-1] if turned else pair], workers=1) == ["equal"]
