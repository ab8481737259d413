"""Decides which problems are compared at all: only those with the same quantities, for these cannot be reworded.

An embedding (and MinHash) finds "If 3 pens cost $6" and "If 4 pens cost $8" nearly equal, but their answers differ. The
guard is one number per problem, equal only if the multisets of numbers agree, each with the operator or single-letter
variable that touches it (so `2x + 3` is not `3x + 2`, and `3^5` is not `5^3`), wherever in the text they stand. Its
last bit says whether the text is written in characters (Chinese, Japanese): guards of translations differ in it alone.
What else must agree is decided on the texts of the pairs that are found (tracemill.text.wording.difference).
"""

from __future__ import annotations

import numpy as np

from tracemill.text.jit import I64, U8, U64, chained, kernel, mixed
from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import CHARACTER, GLUED, NUMBER, SYMBOL, WORD, hashed

_UNGLUED_WORDS = np.array([hashed("a"), hashed("i")], np.uint64)
_LETTERS = np.array([hashed(chr(c)) for c in range(97, 123)], np.uint64)
SPARSE = 3  # a text is Chinese when more than a third of its tokens are characters


def guards(tokens: Tokens) -> U64:
    """One number per text; near-duplicates must have the same."""
    return _guards(tokens.hashes, tokens.kinds, tokens.offsets, np.sort(_LETTERS), _UNGLUED_WORDS)


def numberless() -> U64:
    """The guards of texts without any number, in both ways of writing."""
    return np.array([NOTHING, NOTHING | 1], np.uint64)


@kernel
def _touching(hashes: U64, kinds: U8, i: int, j: int, start: int, stop: int, letters: U64, unglued: U64) -> np.uint64:
    """Hash of the token at `i` if it is an operator or a variable next to the number at `j`; else 0."""
    if i < start or i >= stop:
        return np.uint64(0)
    if kinds[i] & SYMBOL:
        return np.uint64(hashes[i])
    if kinds[i] & WORD and letters[min(np.searchsorted(letters, hashes[i]), 25)] == hashes[i]:
        together = kinds[max(i, j)] & GLUED
        if together or (hashes[i] != unglued[0] and hashes[i] != unglued[1]):
            return np.uint64(hashes[i])
    return np.uint64(0)


@kernel
def _guards(hashes: U64, kinds: U8, offsets: I64, letters: U64, unglued: U64) -> U64:
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        start = offsets[row]
        stop = offsets[row + 1]
        numbers = np.uint64(0)
        characters = 0
        for i in range(start, stop):
            characters += (kinds[i] & CHARACTER) != 0
            if kinds[i] & NUMBER:
                left = _touching(hashes, kinds, i - 1, i, start, stop, letters, unglued)
                right = _touching(hashes, kinds, i + 1, i, start, stop, letters, unglued)
                numbers += mixed(chained(chained(left, hashes[i]), right))
        written = np.uint64(characters * SPARSE > stop - start)
        out[row] = (mixed(numbers) & ~np.uint64(1)) | written
    return out


NOTHING = int(mixed(np.uint64(0))) & ~1
