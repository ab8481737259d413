"""Measures how much a text repeats itself: back-to-back copies of a block of words, and repeated n-grams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tracemill.text.endings import counted_sentences, repeated_bytes, repeated_words
from tracemill.text.folding import buffers, plain_texts
from tracemill.text.jit import F32, I32, I64, U8, U64, kernel, mixed
from tracemill.text.ngrams import power, rolled
from tracemill.text.tokens import token_batches
from tracemill.text.vocabulary import CHARACTER, LEXICAL, WORD

PERIOD = 64  # words of the longest block that is followed from copy to copy


@dataclass(frozen=True)
class Repetition:
    """Of each text, how it repeats itself.

    `copies`, `words`: the longest run of one block written again and again, with a word in it that is no number.
    `share`: the part of its n-grams that hold a word (rows of numbers are tables) and were written before.
    `ending`: the copies of the block that it ends in, where that is a loop (see endings.py); else 0.
    """

    copies: I32
    words: I32
    share: F32
    ending: I32


def repetition(texts: pa.ChunkedArray | pa.Array, n: int) -> Repetition:
    """Measure a column of texts; null and texts of fewer than n words repeat nothing."""
    copies, words, ending, counted = (np.zeros(len(texts), np.int32) for _ in range(4))
    share = np.zeros(len(texts), np.float32)
    for first, tokens in token_batches(texts, fold=False):
        lexical = tokens.only(LEXICAL)
        rows = slice(first, first + len(tokens))
        read = (lexical.hashes, lexical.kinds, lexical.offsets)
        _loops(*read, copies[rows], words[rows])
        _repeated_share(*read, n, share[rows])
        repeated_words(*read, ending[rows])
        counted_sentences(*read, counted[rows])
    column = plain_texts(texts)
    repeated_bytes(*buffers(column), ending)
    for row in np.flatnonzero(counted):
        if not is_table(column[int(row)].as_py()):
            ending[row] = max(ending[row], counted[row])
    return Repetition(copies, words, share, ending)


def is_table(text: str) -> bool:
    """Whether a text ends in rows of cells: lines that are parted by bars, tabs, ampersands or several commas."""
    lines = [line for line in text[-4096:].splitlines()[1:] if line.strip()][-8:]
    cells = [line for line in lines if "|" in line or "\t" in line.strip() or " & " in line or line.count(",") >= 2]
    return len(lines) > 2 and 2 * len(cells) > len(lines)


@kernel
def _wordless(kinds: U8, start: int, stop: int) -> bool:
    wordless = True
    for i in range(start, stop):
        wordless = wordless and kinds[i] & (WORD | CHARACTER) == 0
    return wordless


@kernel
def _loops(hashes: U64, kinds: U8, offsets: I64, copies: I32, words: I32) -> None:
    """In a stretch of period p with two copies some p-th place of the text equals the one p before: look only there."""
    for row in range(len(copies)):
        start = offsets[row]
        stop = offsets[row + 1]
        for period in range(1, PERIOD + 1):
            i = start + period
            while i < stop:
                if hashes[i] != hashes[i - period]:
                    i += period
                    continue
                first = i
                last = i + 1
                while first - 1 - period >= start and hashes[first - 1] == hashes[first - 1 - period]:
                    first -= 1
                while last < stop and hashes[last] == hashes[last - period]:
                    last += 1
                size = last - first + period
                if size >= 2 * period and size > words[row] and not _wordless(kinds, last - period, last):
                    copies[row] = size // period
                    words[row] = size
                i = last + period - (last - start) % period


@kernel
def _repeated_share(hashes: U64, kinds: U8, offsets: I64, n: int, share: F32) -> None:
    longest = 0
    over = power(n)
    for row in range(len(share)):
        longest = max(longest, offsets[row + 1] - offsets[row])
    slots = 16
    while slots < 2 * longest:
        slots *= 2
    keys = np.zeros(slots, np.uint64)
    owner = np.full(slots, -1, np.int64)
    mask = np.uint64(slots - 1)
    for row in range(len(share)):
        start = offsets[row]
        stop = offsets[row + 1]
        count = 0
        repeated = 0
        words = 0
        rolling = np.uint64(0)
        for i in range(start, stop):
            full = i - start >= n
            rolling = rolled(rolling, hashes[i], hashes[i - n] if full else np.uint64(0), over)
            words += (kinds[i] & (WORD | CHARACTER)) != 0
            words -= full and (kinds[i - n] & (WORD | CHARACTER)) != 0
            if i - start < n - 1 or words == 0:
                continue
            count += 1
            gram = mixed(rolling)
            slot = np.int64(gram & mask)
            while owner[slot] == row and keys[slot] != gram:
                slot = np.int64(np.uint64(slot + 1) & mask)
            if owner[slot] == row:
                repeated += 1
            else:
                keys[slot] = gram
                owner[slot] = row
        if count > 0:
            share[row] = repeated / count
