"""Reads dates in digits, with the name of a month, or in Chinese, and compares them; the year may be left out."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Date, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens

_YEAR = range(1000, 3000)
_NAMES = "january february march april may june july august september october november december"
MONTHS = {name: place + 1 for place, name in enumerate(_NAMES.split())}
_NUMBERS = MONTHS | {name[:3]: place for name, place in MONTHS.items()} | {"sept": 9}
_BETWEEN = frozenset((",", "of", "st", "nd", "rd", "th", "the", "."))


def date(tokens: list[Token], inner: Callable[[Tokens], Shape]) -> Shape | None:
    """A day of a month, with its year where one is said."""
    texts = [token.text.lower() for token in tokens]
    found = _in_digits(texts) or _in_chinese(texts) or _named(tokens)
    if not found:
        return None
    year, month, day = found
    return Date(found) if year in (0, *_YEAR) and 1 <= month <= 12 and 1 <= day <= 31 else None


def _in_digits(texts: list[str]) -> tuple[int, int, int] | None:
    """Year, month, day between hyphens or slashes."""
    if len(texts) != 5 or texts[1] != texts[3] or texts[1] not in "-/" or len(texts[0]) != 4:
        return None
    return _numbers(texts[::2])


def _in_chinese(texts: list[str]) -> tuple[int, int, int] | None:
    if texts[1::2] in (["年", "月", "日"], ["年", "月", "号"]):
        return _numbers(texts[::2])
    return _numbers(["0", *texts[::2]]) if texts[1::2] in (["月", "日"], ["月", "号"]) else None


def _named(tokens: list[Token]) -> tuple[int, int, int] | None:
    """`March 5, 2024`, `5th of March`: a month, a day and perhaps a year behind them."""
    texts = [token.text.lower() for token in tokens if token.text.lower() not in _BETWEEN]
    months = [place for place, text in enumerate(texts[:2]) if text in _NUMBERS and tokens[0].kind != "run"]
    if len(months) != 1 or len(texts) not in (2, 3):
        return None
    year = texts[2] if len(texts) == 3 else "0"
    return _numbers([year, str(_NUMBERS[texts[months[0]]]), texts[1 - months[0]]])


def _numbers(texts: list[str]) -> tuple[int, int, int] | None:
    if len(texts) != 3 or not all(text.isdigit() and len(text) < 5 for text in texts):
        return None
    return int(texts[0]), int(texts[1]), int(texts[2])


def same_date(gold: Shape, answer: Shape) -> Sameness | None:
    """The same day; where one side leaves the year out, other days are different and the same one is not sure."""
    if not isinstance(gold, Date) or not isinstance(answer, Date):
        return None
    if 0 in (gold.parts[0], answer.parts[0]) and gold.parts[0] != answer.parts[0]:
        return "unknown" if gold.parts[1:] == answer.parts[1:] else "different"
    return "equal" if gold.parts == answer.parts else "different"
