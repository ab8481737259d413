"""Finds the loop that a text ends in: the same characters, words or sentence again and again, until it was cut.

A loop that a text runs into is told from honest repetition by where it is. At the end three copies of a long paragraph
are enough, and it need not be words that repeat. The longest suffix of each period comes from the Z function of the
reversed text, in linear time for all periods together.
"""

from __future__ import annotations

import numpy as np

from tracemill.text.jit import I32, I64, U8, U64, kernel
from tracemill.text.vocabulary import CHARACTER, NUMBER, WORD, hashed

BYTES = 4096  # of the end that are compared byte by byte; longer blocks are compared by words
TOKENS = 6144  # of the end that are compared word by word
LEAST_COPIES = 3
MANY_COPIES = 24  # of a block with a word in it; real texts end in 5 at most
LONG_WORDS = 90  # of a loop of fewer copies, three or more
MARKS = 200  # bytes of marks or emoji; rulers of dashes are shorter
DIGITS = 500  # of one number: nobody writes 0.333... that long
ROWS = 2000  # bytes of digits and separators: a table of zeros is honest
COUNTED_WORDS = 6  # of a sentence in which only a counter moves
COUNTED_COPIES = 15
_HIGHEST = 20_000
_HASHES = np.array([hashed(str(number)) for number in range(_HIGHEST)], np.uint64)
_ORDER = np.argsort(_HASHES)
_SORTED = _HASHES[_ORDER]


@kernel
def _periods(values: U64, z: I32) -> None:
    """The Z function of `values` read from the end: how far the text before the last i values ends in the same."""
    n = len(values)
    left = right = 0
    for i in range(1, n):
        size = min(right - i, z[i - left]) if i < right else 0
        while i + size < n and values[n - 1 - size] == values[n - 1 - i - size]:
            size += 1
        z[i] = size
        if i + size > right:
            left = i
            right = i + size


@kernel
def repeated_bytes(data: U8, offsets: I64, copies: I32) -> None:
    """The copies of the block that each text ends in, where that is a loop; else what `copies` held."""
    z = np.zeros(BYTES, np.int32)
    window = np.zeros(BYTES, np.uint64)
    for row in range(len(copies)):
        stop = offsets[row + 1]
        while stop > offsets[row] and (data[stop - 1] == 32 or 9 <= data[stop - 1] <= 13):
            stop -= 1
        n = min(BYTES, stop - offsets[row])
        for i in range(n):
            window[i] = data[stop - n + i]
        _periods(window[:n], z)
        for period in range(1, n // LEAST_COPIES + 1):
            size = z[period] + period
            if size >= LEAST_COPIES * period and _is_loop(data[stop - period : stop], size):
                copies[row] = max(copies[row], size // period)
                break


@kernel
def _is_loop(block: U8, size: int) -> bool:
    """Whether copies of the block over `size` bytes are a loop and no honest repetition."""
    words = digits = others = 0
    in_word = False
    for i in range(len(block)):
        byte = block[i]
        letter = 65 <= (byte & 0xDF) <= 90 or 0xC3 <= byte <= 0xDF
        character = 0xE3 <= byte <= 0xED
        words += character or (letter and not in_word)
        in_word = letter or (in_word and 0x80 <= byte < 0xC0)
        digits += 48 <= byte <= 57
        others += not (letter or character or 48 <= byte <= 57 or byte <= 32)
    copies = size // len(block)
    if words:
        return copies >= MANY_COPIES or copies * words >= LONG_WORDS
    if digits:
        return size >= (DIGITS if digits == len(block) else ROWS)
    return others > 0 and size >= MARKS


@kernel
def repeated_words(hashes: U64, kinds: U8, offsets: I64, copies: I32) -> None:
    """The same by words: for blocks that are longer than the window of bytes, or written in other white space."""
    z = np.zeros(TOKENS, np.int32)
    for row in range(len(copies)):
        first = max(offsets[row], offsets[row + 1] - TOKENS)
        n = offsets[row + 1] - first
        _periods(hashes[first : offsets[row + 1]], z)
        for period in range(LONG_WORDS // LEAST_COPIES, n // LEAST_COPIES + 1):
            size = z[period] + period
            if size < max(LONG_WORDS, LEAST_COPIES * period):
                continue
            words = 0
            for i in range(offsets[row + 1] - period, offsets[row + 1]):
                words += kinds[i] & (WORD | CHARACTER) != 0
            if 2 * words >= period:
                copies[row] = max(copies[row], size // period)
                break


@kernel
def counted_sentences(hashes: U64, kinds: U8, offsets: I64, copies: I32) -> None:
    """The copies of the sentence that each text ends in where only a counter moves, by the same step each time."""
    z = np.zeros(TOKENS, np.int32)
    folded = np.zeros(TOKENS, np.uint64)
    for row in range(len(copies)):
        copies[row] = 0
        stop = offsets[row + 1]
        n = min(TOKENS, stop - offsets[row])
        for i in range(n):
            folded[i] = np.uint64(0) if kinds[stop - n + i] & NUMBER else hashes[stop - n + i]
        _periods(folded[:n], z)
        for period in range(COUNTED_WORDS + 1, n // COUNTED_COPIES + 1):
            count = (z[period] + period) // period
            if count >= COUNTED_COPIES:
                if _counts(hashes, kinds, stop, period, count):
                    copies[row] = count
                break


@kernel
def _counts(hashes: U64, kinds: U8, stop: int, period: int, copies: int) -> bool:
    words = 0
    for i in range(stop - period, stop):
        words += kinds[i] & (WORD | CHARACTER) != 0
    if words < COUNTED_WORDS:
        return False
    step = np.int64(0)
    later = np.int64(-1)
    for copy in range(copies):
        here = np.int64(-1)
        for i in range(stop - (copy + 1) * period, stop - copy * period):
            neighbour = i - period if copy + 1 < copies else i + period
            if kinds[i] & NUMBER and hashes[i] != hashes[neighbour]:
                number = _number(hashes[i])
                if number < 0 or here >= 0:
                    return False  # numbers move in two places, or one is beyond counting: a case with its value
                here = number
        if here < 0 or (copy > 1 and later - here != step):
            return False
        step = later - here
        later = here
    return bool(step != 0)


@kernel
def _number(value: np.uint64) -> np.int64:
    """The number that has that hash, or -1."""
    place = np.searchsorted(_SORTED, value)
    found = place < len(_SORTED) and _SORTED[place] == value
    return np.int64(_ORDER[place]) if found else np.int64(-1)
