"""Sketches of vectors in 384 bits, by which a vector is compared with very many others before any of them is read.

Each bit is the side of a random plane on which the vector lies (Charikar 2002): two vectors with the angle a differ in
a share of a / pi of the bits, with the deviation of as many coin tosses.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tracemill.text.jit import F32, I64, U32, U64, Flags, kernel, mixed

BITS_WORDS = 6
BITS = 64 * BITS_WORDS
TELLING = 4  # words that tell nearly all pairs at random apart; a loop of fixed length takes a third of the time
DEVIATIONS = 4.5  # of the number of differing bits: three pairs at the threshold in a million are missed
SEED = 7


def bits_of(vectors: NDArray[np.float16]) -> U64:
    """One sketch a row, [rows, BITS_WORDS]."""
    sides = vectors.astype(np.float32) @ _planes(vectors.shape[1]) > 0
    return np.packbits(sides, axis=1).view(np.uint64)


def radius(cosine: float) -> int:
    """In how many bits two vectors of that cosine differ at most."""
    share = math.acos(min(1.0, cosine)) / math.pi
    return math.ceil(BITS * share + DEVIATIONS * math.sqrt(BITS * share * (1 - share)))


@lru_cache(maxsize=4)
def _planes(dimensions: int) -> F32:
    return np.random.default_rng(SEED).normal(size=(dimensions, BITS)).astype(np.float32)


@kernel
def _ones(value: np.uint64) -> np.uint64:
    """How many bits are set."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.uint64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def within(bits: U64, visitors: I64, first: I64, last: I64, members: U64, limit: np.uint64) -> tuple[I64, I64]:
    """Visitor k, row `visitors[k]` of `bits`, with each of `members[first[k]:last[k]]` that is that near."""
    rows = [np.int64(0) for _ in range(0)]
    found = [np.int64(0) for _ in range(0)]
    for k in range(len(visitors)):
        row = bits[visitors[k]]
        for i in range(first[k], last[k]):
            differing = np.uint64(0)
            for word in range(TELLING):
                differing += _ones(row[word] ^ members[i, word])
            if differing <= limit:
                for word in range(TELLING, BITS_WORDS):
                    differing += _ones(row[word] ^ members[i, word])
                if differing <= limit:
                    rows.append(visitors[k])
                    found.append(np.int64(i))
    return np.array(rows, np.int64), np.array(found, np.int64)


MARK_BITS = 25  # of the table of marks: 4 MiB, one in seven rows passes for nothing beside 14,000 new ones


@kernel
def _slot(mark: np.uint32, band: int) -> np.int64:
    return np.int64(mixed(np.uint64(mark) | (np.uint64(band) << np.uint64(32))) >> np.uint64(64 - MARK_BITS))


@kernel
def sharing(bands: U32, rows: I64, others: U32) -> Flags:
    """Which of those rows of `bands` [rows, bands] may have a mark in common with one of `others`; few more do not."""
    table = np.zeros(1 << (MARK_BITS - 3), np.uint8)
    for k in range(others.shape[0]):
        for band in range(others.shape[1]):
            slot = _slot(others[k, band], band)
            table[slot >> 3] |= np.uint8(1 << (slot & 7))
    out = np.zeros(len(rows), np.bool_)
    for k in range(len(rows)):
        for band in range(bands.shape[1]):
            slot = _slot(bands[rows[k], band], band)
            if table[slot >> 3] >> (slot & 7) & 1:
                out[k] = True
                break
    return out
