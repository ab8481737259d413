"""Decides whether an English and a Chinese problem with the same numbers are one: word by word, by a dictionary.

Embeddings find any two questions on one matter alike. So no word of either text may lack a counterpart; where both
hold a word and its contrast (red and white, Celsius and Fahrenheit), or two names, they come in one order and neither
oftener; and both ask for the same. What the dictionary cannot tell stays two problems, unless equal answers speak for
one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tracemill.text.meaning.reading import Reading, read
from tracemill.text.wording.asked import asked
from tracemill.text.wording.contrasts import CONTRASTS
from tracemill.text.wording.difference import QUANTITIES, Difference, quantities
from tracemill.text.wording.glossary import Translated, translated
from tracemill.text.wording.stemming import stem
from tracemill.text.wording.words import Parts, read_parts

_CONTRASTS = (  # concepts of which one problem has one and the other another
    frozenset(("area", "perimeter", "volume")),
    frozenset(("minimum", "maximum")),
    frozenset(("even", "odd")),
    frozenset(("sum", "difference", "product", "quotient")),
    frozenset(("positive", "negative")),
)
_SAME = {"money": "cost"}  # "how much" asks for either
_ORDERED = re.compile(r"\b(?:divid\w+|remainders?|modulo|quotient|minus|subtract\w*|percent\w*|fraction|power)\b|%")
MOST_CHARACTERS = 2  # a word that the dictionary does not have falls to pieces
_UNITS = {"m": "meters", "g": "grams", "h": "hours", "s": "seconds", "L": "liters", "t": "tons"}
_UNIT = re.compile(r"(?<=\d)\s?([mghsLt])(?![\w/^*+=-]| [/^*+=-])")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LINES = [frozenset(map(stem, line)) for line in CONTRASTS]


def across(one: Parts, other: Parts, agreed: bool, texts: tuple[str, str]) -> Difference:
    """Compare two problems of which one is written in Chinese, as read and as `texts`.

    `agreed`: their answers are known, equal and telling.
    """
    english, written = (other, one) if one.chinese else (one, other)
    told, chinese = reversed(texts) if one.chinese else texts
    if _UNIT.search(told) and not _UNIT.search(chinese):
        english = read_parts(_UNIT.sub(lambda unit: f" {_UNITS[unit[1]]}", told))
    if english.formulas != written.formulas or english.letters != written.letters or asked_apart(*texts):
        return Difference(False, ())
    found = translated(english, chinese)
    words = (*found.english, *found.chinese)
    known = not words or (agreed and _is_vouched_for(english, found))
    return Difference(known and not _crossed(english, told, chinese, found), words)


def _is_vouched_for(english: Parts, found: Translated) -> bool:
    """Whether equal answers may vouch for what has no counterpart: one thing that is not asked for, where quantities

    lead to the answer.
    """
    few = len(set(found.english)) <= 1 and len(set(found.chinese)) <= MOST_CHARACTERS
    return few and quantities(english) >= QUANTITIES and asked(english).isdisjoint(found.english)


def asked_apart(one: str, other: str) -> bool:
    """Whether both say what they ask for and it is not the same, or a concept stands against its contrast."""
    first = read(one)
    second = read(other)
    asked = _named(first.asked), _named(second.asked)
    if all(asked) and not asked[0] & asked[1]:
        return True
    had = _concepts(first), _concepts(second)
    return any(line & had[0] and line & had[1] and not line & had[0] & had[1] for line in _CONTRASTS)


def _crossed(english: Parts, told: str, chinese: str, found: Translated) -> bool:
    """Whether words that exclude each other, names, or the numbers of a division stand the other way round."""
    names = frozenset(stem(name.lower()) for name in english.names | english.openers)
    if any(_turned(line, english.words, found.order) for line in (*_LINES, names)):
        return True
    if any(_opposed(before, found.before.get(number, frozenset())) for before, number in pairwise(english.words)):
        return True
    numbers = [_NUMBER.findall(text) for text in (told, chinese)]
    moved = numbers[0] != numbers[1] and sorted(numbers[0]) == sorted(numbers[1])
    return moved and _ORDERED.search(told) is not None


def _opposed(word: str, others: frozenset[str]) -> bool:
    """Whether of one line of contrast the word stands here, and another there."""
    return word not in others and any(word in line and others & line for line in _LINES)


def _turned(line: frozenset[str], english: Sequence[str], chinese: Iterable[frozenset[str]]) -> bool:
    """Whether two words of the line that both texts have come in another order, or one oftener and one less often."""
    said = [word for word in english if word in line]
    if len(set(said)) < 2:
        return False
    meant = [next(iter(words & line)) for words in chinese if len(words & line) == 1]
    both = set(said) & set(meant)
    first, second = ([word for word in side if word in both] for side in (said, meant))
    if list(dict.fromkeys(first)) != list(dict.fromkeys(second)):
        return True
    more = [Counter(first)[word] - Counter(second)[word] for word in both]
    return bool(more) and max(more) > 0 > min(more)


def _named(asked: frozenset[str]) -> set[str]:
    return {_SAME.get(name, name) for name in asked}


def _concepts(reading: Reading) -> set[str]:
    return {str(value) for kind, value in reading.units if kind == "concept"}
