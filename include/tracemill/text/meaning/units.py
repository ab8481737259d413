"""Reads a text as units that survive translation and paraphrase: numbers, formula commands, and concepts for words.

One pass over tokens (`tracemill.text.tokens`), for all texts at once: a word is replaced by its concept (see
concepts.py), Chinese by the longest concept or numeral that stands there, stock words are left out. Each unit has a
weight, for a number says more than a word and `1` says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemill.text.jit import F32, I64, U8, U64, chained, kernel
from tracemill.text.meaning.concepts import CHINESE, ENGLISH, STOCK, forms
from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import CHARACTER, COMMAND, NUMBER, WORD, hashed

SLOTS = 1 << 14
LONGEST = 6  # characters of a Chinese word in the lexicon
_SAME_NAME = ("sin", "cos", "tan", "angle", "triangle", "parallel")
COMMANDS = {f"\\{name}": name for name in _SAME_NAME} | {
    r"\sqrt": "root",
    r"\log": "logarithm",
    r"\ln": "logarithm",
    r"\circ": "degree",
    r"\bmod": "remainder",
    r"\pmod": "remainder",
    r"\gcd": "greatest_common",
    r"\perp": "right",
}
_LAYOUT = (r"\frac", r"\ldots", r"\overline", r"\begin", r"\end", r"\mathcal", r"\item", r"\leq", r"\geq", r"\neq")
_TINY = 0.4
_SMALL = 0.7
_ROUND = (100, 1000)
CONCEPT = 1.0
ANY_NUMBER = 1.7
ANY_WORD = 1.2
ANY_COMMAND = 0.7
ANY_CHARACTER = 0.3


@dataclass(frozen=True)
class Units:
    """Distinct units of many texts: text k has `hashes[offsets[k]:offsets[k+1]]`, ascending, of these `weights`."""

    hashes: U64
    weights: F32
    offsets: I64

    def __len__(self) -> int:
        return len(self.offsets) - 1


def units(tokens: Tokens) -> Units:
    """The units of every text."""
    table = _TABLE
    hashes = np.empty(len(tokens.hashes), np.uint64)
    weights = np.empty(len(tokens.hashes), np.float32)
    offsets = np.zeros_like(tokens.offsets)
    count = _units(tokens.hashes, tokens.kinds, tokens.offsets, *table, hashes, weights, offsets)
    return Units(hashes[:count].copy(), weights[:count].copy(), offsets)


def number_weight(value: float) -> float:
    """How much a number says: nearly nothing for 0, 1 and 2, most for three digits and more."""
    if value in (0, 1, 2):
        return _TINY
    if value in (3, 4, 5, 10, *_ROUND):
        return _SMALL
    return 1.3 if 0 < value < 100 else 2.2


def _table() -> tuple[U64, U64, F32]:
    """Hash of a token, or of a chain of characters → hash and weight of its unit; weight 0 leaves it out."""
    entries: dict[int, tuple[int, float]] = {hashed(word): (0, 0.0) for word in STOCK}
    entries |= {hashed(command): (0, 0.0) for command in _LAYOUT}
    for word, name in ENGLISH.items():
        for form in forms(word):
            entries.setdefault(hashed(form), (hashed("concept " + name), CONCEPT))
    entries |= {hashed(command): (hashed("concept " + name), CONCEPT) for command, name in COMMANDS.items()}
    numbers = {str(value): number_weight(value) for value in range(1001)}
    entries |= {hashed(text): (hashed(text), weight) for text, weight in numbers.items()}
    for word, name in CHINESE.items():
        entries[_chain(word)] = (hashed("concept " + name), CONCEPT)
    for value in range(2, 100):
        for text in _numerals(value):
            entries[_chain(text)] = (hashed(str(value)), number_weight(value))
    keys = np.zeros(SLOTS, np.uint64)
    values = np.zeros(SLOTS, np.uint64)
    weights = np.zeros(SLOTS, np.float32)
    for key, (value, weight) in entries.items():
        slot = key % SLOTS
        while keys[slot]:
            slot = (slot + 1) % SLOTS
        keys[slot] = key
        values[slot] = value
        weights[slot] = weight
    return keys, values, weights


def _chain(text: str) -> int:
    """As the kernel chains characters."""
    value = np.uint64(0)
    for mark in text:
        value = np.uint64(chained(value, np.uint64(hashed(mark))))
    return int(value)


_DIGITS = "零一二三四五六七八九"


def _numerals(value: int) -> list[str]:
    """A number from 2 to 99 in Chinese, in its usual spellings."""
    tens, ones = divmod(value, 10)
    text = (_DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones] if ones else "")
    return [text, "两"] if value == 2 else [text]


_TABLE = _table()


@kernel
def _slot(key: np.uint64, keys: U64) -> np.int64:
    """Where the key is, or -1."""
    slot = np.int64(key & np.uint64(len(keys) - 1))
    while keys[slot] != 0:
        if keys[slot] == key:
            return slot
        slot = np.int64((slot + 1) & (len(keys) - 1))
    return np.int64(-1)


@kernel
def _character(tokens: U64, kinds: U8, i: np.int64, end: np.int64, keys: U64) -> tuple[np.int64, np.int64]:
    """The slot of the longest entry that begins at `i`, and how many characters it has; -1 and 1 when there is none."""
    found = np.int64(-1)
    length = np.int64(1)
    chain = np.uint64(0)
    k = np.int64(0)
    while k < LONGEST and i + k < end and kinds[i + k] & CHARACTER:
        chain = chained(chain, tokens[i + k])
        slot = _slot(chain, keys)
        if slot >= 0:
            found = slot
            length = k + 1
        k += 1
    return found, length


@kernel
def _units(
    tokens: U64,
    kinds: U8,
    offsets: I64,
    keys: U64,
    values: U64,
    weights: F32,
    out: U64,
    out_weights: F32,
    out_offsets: I64,
) -> np.int64:
    size = np.int64(0)
    for row in range(len(offsets) - 1):
        first = size
        i = offsets[row]
        while i < offsets[row + 1]:
            kind = kinds[i]
            slot = np.int64(-1)
            length = np.int64(1)
            if kind & CHARACTER:
                slot, length = _character(tokens, kinds, i, offsets[row + 1], keys)
            elif kind & (WORD | NUMBER | COMMAND):
                slot = _slot(tokens[i], keys)
            else:
                i += 1
                continue
            if slot >= 0:
                unit = values[slot]
                weight = weights[slot]
            else:
                unit = tokens[i]
                weight = np.float32(
                    ANY_NUMBER if kind & NUMBER else ANY_WORD if kind & WORD else
                    ANY_COMMAND if kind & COMMAND else ANY_CHARACTER
                )  # fmt: skip
            i += length
            if weight > 0:
                out[size] = unit
                out_weights[size] = weight
                size += 1
        size = _distinct(out, out_weights, first, size)
        out_offsets[row + 1] = size
    return size


@kernel
def _distinct(out: U64, weights: F32, first: np.int64, size: np.int64) -> np.int64:
    """Sort the units from `first` on and keep one of each; returns where they end."""
    order = np.argsort(out[first:size])
    sorted_units = out[first:size][order]
    sorted_weights = weights[first:size][order]
    place = first
    for k in range(len(order)):
        if k == 0 or sorted_units[k] != sorted_units[k - 1]:
            out[place] = sorted_units[k]
            weights[place] = sorted_weights[k]
            place += 1
    return place
