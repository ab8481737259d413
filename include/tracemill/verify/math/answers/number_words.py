"""Reads English numbers in words: twenty-five, three hundred and two, one half, two and three quarters."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: value for value, word in enumerate(_ONES.split())}
_TENFOLD = {word: 20 + 10 * place for place, word in enumerate(_TENS.split())}
NUMBERS |= _TENFOLD
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "twelfth": 12, "twentieth": 20, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_PLURALS = {f"{word}s": part for word, part in _PARTS.items()} | {"halves": 2}


def spelled(words: Sequence[str]) -> Fraction | None:
    """The number that lower-case words spell, hyphens included; None for anything else."""
    bare = [part for word in words for part in ([word] if word == "-" else word.split("-"))]
    if bare[:1] in (["negative"], ["minus"], ["-"]) and len(bare) > 1:
        found = spelled(bare[1:])
        return None if found is None else -found
    if bare[-1:] == ["dozen"]:
        count = Fraction(1, 2) if bare[:-1] in (["half"], ["half", "a"]) else _count(bare[:-1])
        return None if count is None else 12 * count
    if not bare:
        return None
    if bare[-1] in _PARTS or bare[-1] in _PLURALS:
        return _with_part(bare)
    whole = _whole(bare)
    return None if whole is None else Fraction(whole)


def _count(bare: list[str]) -> Fraction | None:
    whole = 1 if bare in ([], ["a"], ["one"]) else _whole(bare)
    return None if whole is None else Fraction(whole)


def _with_part(bare: list[str]) -> Fraction | None:
    """`half`, `three quarters`, `two and a half`. One part is named in the singular, several in the plural."""
    part = _PARTS.get(bare[-1]) or _PLURALS[bare[-1]]
    before = bare[:-1]
    at = len(before) - 1 - before[::-1].index("and") if "and" in before else -1
    count = _whole(before[at + 1 :]) if before[at + 1 :] not in ([], ["a"], ["an"]) else 1
    whole = _whole(before[:at]) if at > 0 else 0
    if count is None or whole is None or at == 0 or (count == 1) != (bare[-1] in _PARTS):
        return None
    return whole + Fraction(count, part)


def _whole(bare: list[str]) -> int | None:
    total = hundreds = 0
    group: int | None = None
    for place, word in enumerate(bare):
        if word in NUMBERS:
            if group is not None and not (group in _TENFOLD.values() and 0 < NUMBERS[word] < 10):
                return None
            group = (group or 0) + NUMBERS[word]
        elif word == "hundred" and (group or 1) < 20 and not hundreds:
            hundreds = 100 * (group or 1)
            group = None
        elif word in _SCALES and (group is not None or hundreds):
            total = total + (hundreds + (group or 0)) * _SCALES[word]
            hundreds = 0
            group = None
        elif word == "and" and 0 < place < len(bare) - 1 and group is None:
            continue
        else:
            return None
    return total + hundreds + (group or 0)
