"""Reads the numbers of a text as values, however they are written: digits, fractions, words, Chinese numerals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

_TO_NINETEEN = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
SMALL = {word: value for value, word in enumerate(re.findall(r"\w+", _TO_NINETEEN))}
_TO_NINETY = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * tens for tens, word in enumerate(re.findall(r"\w+", _TO_NINETY), start=2)}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
NAMED = {"half": Fraction(1, 2), "twice": Fraction(2), "double": Fraction(2), "thrice": Fraction(3),
         "dozen": Fraction(12), "quarter": Fraction(1, 4), "triple": Fraction(3)}  # fmt: skip
_DIGITS = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 10**8}
CHINESE_NUMERAL = "[" + "".join([*_DIGITS, *_PLACES]) + "]+"
LONGEST = 40  # digits; longer numbers are compared as text
_FRACTION = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_RATIO = re.compile(r"(?<![A-Za-z\d_/.])\(?\s*(\d{1,6})\s*\)?\s*/\s*\(?\s*(\d{1,6})\s*\)?(?![A-Za-z\d_/])")
Value = Fraction | str


def plain_fractions(text: str) -> str:
    """`\\frac{a}{b}` as `(a)/(b)`, also where fractions stand in fractions."""
    for _ in range(4):
        changed = _FRACTION.sub(lambda found: f" ({found[1] or found[2]})/({found[3] or found[4]}) ", text)
        if changed == text:
            break
        text = changed
    return text


def digits(written: str) -> Iterator[Value]:
    """The value of a run of digits; commas group thousands or part several numbers."""
    written = written.strip(",.")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        written = written.replace(",", "")
    for part in written.split(","):
        if part:
            yield Fraction(part) if len(part) <= LONGEST else part


def ratios(text: str) -> Iterator[Fraction]:
    """The values of fractions of whole numbers: 3/4, (3)/(4)."""
    for found in _RATIO.finditer(text):
        if int(found[2]):
            yield Fraction(int(found[1]), int(found[2]))


def chinese(numeral: str) -> Fraction:
    """The value of a Chinese numeral, 二十五 or 两千零五."""
    total = section = digit = 0
    for mark in numeral:
        if mark in _DIGITS:
            digit = _DIGITS[mark]
        elif _PLACES[mark] >= 10_000:
            total = ((total + section + digit) or 1) * _PLACES[mark]
            section = 0
            digit = 0
        else:
            section += (digit or 1) * _PLACES[mark]
            digit = 0
    return Fraction(total + section + digit)


class Spelled:
    """Adds up numbers spelled in English words: "two hundred" "thirty" "five"."""

    def __init__(self) -> None:
        self._total: int | None = None

    def takes(self, word: str) -> bool:
        """Whether the word (lower-case) goes on with a number; "one" alone is a pronoun more often than a number."""
        if word in _LARGE and self._total is not None:
            self._total *= _LARGE[word]
        elif word in TENS or (word in SMALL and (word != "one" or self._total is not None)):
            self._total = (self._total or 0) + TENS.get(word, SMALL.get(word, 0))
        else:
            return False
        return True

    def end(self) -> Iterator[Fraction]:
        """The number that ends here, if there is one."""
        if self._total is not None:
            yield Fraction(self._total)
        self._total = None
