"""N-grams of tokens as 64-bit hashes, and what is counted on them: sets, overlaps, repetition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemill.text.jit import I64, U64, chained, kernel, mixed
from tracemill.text.tokens import Tokens

BASE = np.uint64(0x9DDFEA08EB382D69)


@dataclass(frozen=True)
class Grams:
    """N-grams of many texts: text k has `hashes[offsets[k]:offsets[k+1]]`."""

    hashes: U64
    offsets: I64

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, k: int) -> U64:
        """The n-grams of text k."""
        return self.hashes[self.offsets[k] : self.offsets[k + 1]]


def ngrams(tokens: Tokens, n: int, *, short: bool = True, distinct: bool = True) -> Grams:
    """The n-grams of every text; sorted and distinct within a text if asked.

    A text of fewer than n tokens has no n-gram; with `short` it gets one, of all its tokens (none if it is empty).
    """
    lengths = np.diff(tokens.offsets)
    counts = np.where(lengths >= n, lengths - n + 1, np.where(short, lengths > 0, 0)).astype(np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    hashes = np.empty(int(offsets[-1]), np.uint64)
    _fill(tokens.hashes, tokens.offsets, n, hashes, offsets)
    if not distinct:
        return Grams(hashes, offsets)
    kept = np.empty_like(offsets)
    count = _sort_distinct(hashes, offsets, kept)
    return Grams(hashes[:count].copy(), kept)


@kernel
def power(n: int) -> np.uint64:
    """What a token's hash is multiplied by when n more tokens have followed it."""
    result = np.uint64(1)
    for _ in range(n):
        result = np.uint64(result * BASE)
    return result


@kernel
def rolled(rolling: np.uint64, entering: np.uint64, leaving: np.uint64, leaving_power: np.uint64) -> np.uint64:
    """The polynomial hash of a window moved by one token; `leaving` is 0 while the window fills."""
    return np.uint64(rolling * BASE + entering - leaving * leaving_power)


@kernel
def _fill(tokens: U64, offsets: I64, n: int, out: U64, out_offsets: I64) -> None:
    over = power(n)
    for row in range(len(offsets) - 1):
        start = offsets[row]
        rolling = np.uint64(0)
        place = out_offsets[row]
        for i in range(start, offsets[row + 1]):
            rolling = rolled(rolling, tokens[i], tokens[i - n] if i - start >= n else np.uint64(0), over)
            if i - start >= n - 1:
                out[place] = mixed(rolling)
                place += 1
        if place < out_offsets[row + 1]:  # a short text: all its tokens, and how many they are
            out[place] = mixed(rolling ^ np.uint64(offsets[row + 1] - start))


@kernel
def _sort_distinct(values: U64, offsets: I64, kept: I64) -> int:
    n = 0
    for row in range(len(offsets) - 1):
        part = np.sort(values[offsets[row] : offsets[row + 1]])
        kept[row] = n
        for k in range(len(part)):
            if k == 0 or part[k] != part[k - 1]:
                values[n] = part[k]
                n += 1
    kept[len(offsets) - 1] = n
    return n


def text_keys(tokens: Tokens) -> list[str]:
    """One key of 32 hex digits per text: equal exactly when the token sequences are (up to chance of 2**-128)."""
    first = _row_hashes(tokens.hashes, tokens.offsets, np.uint64(0))
    second = _row_hashes(tokens.hashes, tokens.offsets, np.uint64(0x6A09E667F3BCC909))
    return [f"{a:016x}{b:016x}" for a, b in zip(first.tolist(), second.tolist(), strict=True)]


@kernel
def _row_hashes(hashes: U64, offsets: I64, salt: np.uint64) -> U64:
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        value = salt
        for i in range(offsets[row], offsets[row + 1]):
            value = chained(value, hashes[i] ^ salt)
        out[row] = value
    return out
