"""Tells a Chinese reading in the words of an English one, by a dictionary, so that the two can be aligned.

The concepts know the vocabulary of mathematics; what a story is about (shirts, skaters, senators) only a dictionary
knows. A Chinese word that may mean something that the English text says is read as that; any other stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from tracemill.text.meaning.concepts import CHINESE, CHINESE_STOCK, ENGLISH, STOCK, stem
from tracemill.text.meaning.numerals import CHINESE_NUMERAL
from tracemill.text.meaning.reading import Reading, Unit
from tracemill.text.meanings import dictionary, meaning

LONGEST = 6  # characters of a word
FEW = 6  # words that explain a character, beyond which it may mean anything
PLAIN = 3  # words that explain a character that is a word of its own (sheep), and no grammar


def interpreted(one: Reading, other: Reading) -> tuple[Reading, Reading]:
    """Two readings; of a Chinese and an English one the Chinese one is told in the other's words."""
    if bool(one.chinese) == bool(other.chinese):
        return one, other
    return (_told(one, other), other) if one.chinese else (one, _told(other, one))


def _told(chinese: Reading, english: Reading) -> Reading:
    """The Chinese reading with the English one's units for the words that may mean them."""
    kept = [unit for unit in chinese.order if unit[0] != "han"]
    said = [unit for run in chinese.chinese for word in _words(run) for unit in _units(word, english)]
    order = tuple(dict.fromkeys([*kept, *said]))
    return replace(chinese, units=frozenset(order), order=order)


def _units(word: str, english: Reading) -> Iterator[Unit]:
    found = [unit for unit in _possible(word) if unit in english.units]
    if found or word in CHINESE or re.fullmatch(CHINESE_NUMERAL, word):
        yield from found
    elif len(word) > 1 or 0 < len(_possible(word)) <= PLAIN:
        yield "said", word


@lru_cache(maxsize=1 << 14)
def _possible(word: str) -> tuple[Unit, ...]:
    """The units of the English words that a word may mean."""
    told = [one for one in dict.fromkeys(meaning(word)) if one not in STOCK]
    if len(word) == 1 and len(told) > FEW:
        return ()
    concepts = [ENGLISH.get(one) or ENGLISH.get(stem(one)) for one in told]
    units: list[Unit] = [
        ("concept", name) if name else ("word", stem(one)) for one, name in zip(told, concepts, strict=True)
    ]
    return tuple(dict.fromkeys(units))


@lru_cache(maxsize=1 << 14)
def _words(run: str) -> tuple[str, ...]:
    """A run of Chinese characters cut into the longest words of the dictionary, without those that say nothing."""
    words = []
    place = 0
    while place < len(run):
        lengths = range(min(LONGEST, len(run) - place), 1, -1)
        length = next((k for k in lengths if run[place : place + k] in dictionary()), 1)
        words.append(run[place : place + length])
        place += length
    return tuple(word for word in words if not all(mark in CHINESE_STOCK for mark in word))
