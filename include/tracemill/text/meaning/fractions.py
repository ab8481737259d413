"""Writes fractions that are spelled out in words as digits: two thirds, a fifth of, three-quarters; 三分之二, 一半."""

from __future__ import annotations

import re

from tracemill.text.meaning.numerals import CHINESE_NUMERAL, SMALL, TENS, chinese

_ONES = {word: value for word, value in SMALL.items() if 0 < value < 10}
_ORDINAL = {"third": 3, "fourth": 4, "quarter": 4, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_ORDINAL |= {word + "th": value for word, value in SMALL.items() if value > 3 and value not in _ORDINAL.values()}
_TENTHS = {word[:-1] + "ieth": value for word, value in TENS.items()}
_COMPOUND = {f"{ten}-{word}": TENS[ten] + value for ten in TENS for word, value in _ORDINAL.items()
             if value < 10 and word != "quarter"}  # fmt: skip
_PARTS = {"half": 2, "halve": 2, "hundredth": 100, "thousandth": 1000, **_ORDINAL, **_TENTHS, **_COMPOUND}
_COUNTS = {word: value for word, value in {**SMALL, **TENS}.items() if value}
_COUNTS |= {f"{ten}-{one}": TENS[ten] + value for ten in TENS for one, value in _ONES.items()}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_ENGLISH = re.compile(
    rf"(?<![\w-])(?:(?P<one>one|an?)|(?P<count>{_any(_COUNTS)}))[- ]"
    rf"(?P<part>{_any(_PARTS)})(?P<many>s)?(?![\w-])(?P<of>\s+of\b)?(?!\s+grade)",
    re.I,
)
_CHINESE = re.compile(rf"(\d+|{CHINESE_NUMERAL})分之(\d+|{CHINESE_NUMERAL})")


def digit_fractions(text: str) -> str:
    """The text with its spelled fractions as 2/3; `a third` only where `of` follows. 百分之 stays: it is percent."""
    text = _CHINESE.sub(_from_chinese, text).replace("一半", " 1/2 ") if "分之" in text or "一半" in text else text
    return _ENGLISH.sub(_from_english, text)


def _from_english(found: re.Match[str]) -> str:
    one = (found["one"] or "").lower()
    part = _PARTS[found["part"].lower()]
    count = 1 if one else _COUNTS[found["count"].lower()]
    is_ordinal = one.startswith("a") and (not found["of"] or part in (2, 4))
    if is_ordinal or bool(found["many"]) != (count > 1) or count == part:
        return found[0]
    return f"{count}/{part}{found['of'] or ''}"


def _from_chinese(found: re.Match[str]) -> str:
    part, count = (int(n) if n.isascii() else int(chinese(n)) for n in found.groups())
    return found[0] if found[1] == "百" or not part else f" {count}/{part} "
