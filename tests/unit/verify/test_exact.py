"""The quick check never says anything that the comparison does not: proved on a grid of number forms."""

from __future__ import annotations

import itertools

import pytest

from tracemill.text.answer_text import normalised_answer
from tracemill.verify.math.answers.comparing import same_answer
from tracemill.verify.math.exact import quick_equal

FORMS = r"""
0 -0 00 +7 7 007 -7 7.0 -7.0 .5 0.5 0.50 -0.5 1/2 -1/2 2/4 \frac{1}{2} \dfrac{-1}{2} -\tfrac{1}{2} 1,000 1000
1000.0 1,000,000 1000000 1,00 0.333333 0.333334 0.333335 1/3 999999999999999 -1,000 0/5 0.0 -0.0 .000001
0.000003 123456789.000001 A b D 50% 1e3 5. 2^3 x 12
""".split()  # noqa: SIM905


def test_every_decision_is_the_comparisons() -> None:
    forms = [normalised_answer(form) for form in FORMS]
    decided = {(g, a): quick_equal(g, a) for g, a in itertools.product(forms, repeat=2)}
    decided = {pair: equal for pair, equal in decided.items() if equal is not None}
    assert len(decided) > 1_000
    words = {True: "equal", False: "different"}
    assert {p: e for p, e in decided.items() if same_answer(*p) != words[e]} == {}


@pytest.mark.parametrize(
    ("gold", "answer", "equal"),
    [
        pytest.param("18", "18", True, id="same"),
        pytest.param("18", "19", False, id="different"),
        pytest.param("1,200", "1200", True, id="thousands"),
        pytest.param("0.5", "1/2", True, id="decimal_and_fraction"),
        pytest.param("1/3", "0.333333", None, id="within_the_rounding_zone"),
        pytest.param("1/3", "0.36", False, id="outside_of_it"),
        pytest.param("B", "B", True, id="same_choice"),
        pytest.param("A", "C", False, id="other_choice"),
        pytest.param("7", "7\\%", None, id="percent"),
        pytest.param("1,00", "100", None, id="odd_comma"),
        pytest.param("1/0", "1", None, id="division_by_zero"),
        pytest.param("x", "x", None, id="symbol"),
        pytest.param("12345678901234567", "12345678901234567", None, id="beyond_a_double"),
        pytest.param("\u0661\u0662", "12", None, id="arabic_digits"),
    ],
)
def test_it_decides_plain_numbers_only(gold: str, answer: str, equal: bool | None) -> None:
    assert quick_equal(gold, answer) is equal
