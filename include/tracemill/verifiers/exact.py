r"""Decides, without SymPy, whether two plain numbers are equal; says nothing (None) about everything else.

The laws are those of math-verify 0.9 on `\boxed{…}`, so that a decision here never differs from one there (proved on
every labelled pair and on a grid of number forms in the tests; see docs/design/verification.md):

- integers and fractions of integers are compared exactly; leading zeros, "+" and thousands commas do not matter;
- as soon as one side has a decimal point, both are rounded to 6 places. Equal values are equal; values further apart
  than _ZONE are different; what lies between is left to math-verify, as are numbers too long for a double.
- the choices A, B, C, D are compared without regard to case.
"""

from __future__ import annotations

import re
from fractions import Fraction

_INTEGER = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,15})"
_NUMBER = re.compile(
    rf"(?P<integer>{_INTEGER})"
    r"|(?P<decimal>-?\d{0,9}\.\d{1,6})"
    r"|(?P<sign>-?)(?:\\[dt]?frac\{(?P<n>-?\d{1,9})\}\{(?P<d>[1-9]\d{0,8})\}|(?P<n2>\d{1,9})/(?P<d2>[1-9]\d{0,8}))",
    re.ASCII,
)
_CHOICE = re.compile(r"[A-Da-d]")
_ZONE = Fraction(2, 1_000_000)  # two values rounded to 6 places can be equal only when closer than 1e-6


def quick_equal(gold: str, answer: str) -> bool | None:
    """Whether both are plain numbers (or choices) of equal value; None when this module cannot tell."""
    if _CHOICE.fullmatch(gold) and _CHOICE.fullmatch(answer):
        return gold.lower() == answer.lower()
    left, right = _NUMBER.fullmatch(gold), _NUMBER.fullmatch(answer)
    if left is None or right is None:
        return None
    distance = abs(_value(left) - _value(right))
    if distance == 0 or not (left["decimal"] or right["decimal"]):
        return distance == 0
    return False if distance > _ZONE else None


def _value(number: re.Match[str]) -> Fraction:
    if number["integer"]:
        return Fraction(int(number["integer"].replace(",", "")))
    if number["decimal"]:
        return Fraction(number["decimal"])
    numerator, denominator = number["n"] or number["n2"], number["d"] or number["d2"]
    value = Fraction(int(numerator), int(denominator))
    return -value if number["sign"] else value
