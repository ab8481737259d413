r"""Decides, without reading formulas, whether two plain numbers are equal; says nothing (None) about everything else.

A decision here never differs from that of `answers.comparing` (proved on a grid of number forms in the tests):

- integers, fractions of integers and decimals of equal value are equal;
- integers and fractions of another value are different, and so is a decimal further away than its last place;
- the rest (a decimal that may be the other number rounded) is left to the comparison;
- choices A to J are equal or not.
"""

from __future__ import annotations

import re
from fractions import Fraction

_INTEGER = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,15})"
_NUMBER = re.compile(
    rf"(?P<integer>{_INTEGER})"
    r"|(?P<decimal>-?\d{0,9}\.(?P<places>\d{1,9}))"
    r"|(?P<sign>-?)(?:\\frac\{(?P<n>-?\d{1,9})\}\{(?P<d>[1-9]\d{0,8})\}|(?P<n2>\d{1,9})/(?P<d2>[1-9]\d{0,8}))",
    re.ASCII,
)
_DOUBTFUL = re.compile(r"-?\d{1,3}[.,]\d{3}")  # some write thousands, some decimals so
_CHOICE = re.compile(r"[A-J]")


def quick_equal(gold: str, answer: str) -> bool | None:
    """Whether both are plain numbers (or choices) of equal value; None when this module cannot tell."""
    if _CHOICE.fullmatch(gold) and _CHOICE.fullmatch(answer):
        return gold == answer
    left = _NUMBER.fullmatch(gold)
    right = _NUMBER.fullmatch(answer)
    if left is None or right is None:
        return None
    if any(_DOUBTFUL.fullmatch(side) for side in (gold, answer)):
        return None if _value(left) != _value(right) else True
    distance = abs(_value(left) - _value(right))
    places = [len(side["places"]) for side in (left, right) if side["decimal"]]
    if distance == 0 or not places:
        return distance == 0
    return False if distance > Fraction(1, 10 ** min(places)) else None


def _value(number: re.Match[str]) -> Fraction:
    if number["integer"]:
        return Fraction(int(number["integer"].replace(",", "")))
    if number["decimal"]:
        return Fraction(number["decimal"])
    numerator = number["n"] or number["n2"]
    denominator = number["d"] or number["d2"]
    value = Fraction(int(numerator), int(denominator))
    return -value if number["sign"] else value
