"""N-grams of tokens as 64-bit hashes, and what is counted on them: sets, overlaps, repetition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemill.text.kernels import I64, U64, chained, kernel
from tracemill.text.tokens import Tokens


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
def sequence_hash(values: U64, start: int, stop: int) -> np.uint64:
    """Hash of `values[start:stop]` in order."""
    result = np.uint64(stop - start)
    for i in range(start, stop):
        result = chained(result, values[i])
    return result


@kernel
def _fill(tokens: U64, offsets: I64, n: int, out: U64, out_offsets: I64) -> None:
    for row in range(len(offsets) - 1):
        start, stop, size = offsets[row], offsets[row + 1], out_offsets[row + 1] - out_offsets[row]
        for k in range(size):
            out[out_offsets[row] + k] = sequence_hash(tokens, start + k, min(start + k + n, stop))


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
