"""Finds pairs of texts that share most of their word n-grams: MinHash sketches by rensa, LSH bands, bounded buckets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from tracemill.text.jit import I64, U32, U64, chained, kernel
from tracemill.text.ngrams import Grams

BANDS = 20  # finds a pair of Jaccard 0.7 with 1 - (1 - 0.7**3)**20 = 0.9998
ROWS = 3
PERMUTATIONS = BANDS * ROWS
BUCKET = 64  # rows of a bucket that the others are compared with; more would make template families quadratic
SEED = 42


def sketches(grams: Grams) -> U32:
    """MinHash sketches, [texts, PERMUTATIONS]; a text without n-grams gets the empty set's."""
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        grams.hashes, grams.offsets.astype(np.uint64), PERMUTATIONS, SEED
    )
    return np.array(matrix.to_rows(), np.uint32).reshape(len(grams), PERMUTATIONS)


def band_marks(sketch: U32, guard: U64) -> U32:
    """The bands of every row with its guard, as marks [rows, BANDS]: rows that share none are no candidate pair."""
    marks = np.empty((len(sketch), BANDS), np.uint32)
    for band in range(BANDS):
        marks[:, band] = _band_keys(np.ascontiguousarray(sketch[:, band * ROWS : (band + 1) * ROWS]), guard)
    return marks


def candidate_pairs(marks: U32, guard: U64, fresh: int = 0) -> NDArray[np.int64]:
    """Pairs [m, 2] of rows (first < second) that share a mark and the guard. Rows should come best priority first:

    in a bucket of more than BUCKET rows, rows are compared with the first BUCKET of them only. Rows before `fresh` are
    not compared with each other.
    """
    found = np.zeros(0, np.uint64)
    for band in range(BANDS):
        keys = _band_keys(np.ascontiguousarray(marks[:, band : band + 1]), guard)
        order = np.argsort(keys, kind="stable")
        found = np.union1d(found, _bucket_pairs(keys[order], order, fresh))
    return np.stack([found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)


def jaccard(grams: Grams, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Exact Jaccard similarity of the n-gram sets of each pair of rows of `grams` (sorted, distinct)."""
    return _jaccard(grams.hashes, grams.offsets, pairs)


@kernel
def _band_keys(band: U32, guard: U64) -> U64:
    out = guard.copy()
    for i in range(len(out)):
        for k in range(band.shape[1]):
            out[i] = chained(out[i], np.uint64(band[i, k]))
    return out


@kernel
def _bucket_pairs(keys: U64, order: I64, fresh: int) -> U64:
    """Pairs within runs of equal keys, packed as first << 32 | second; `order` ascends within a run."""
    size = 0
    start = 0
    for i in range(len(keys)):
        start = i if keys[i] != keys[start] else start
        size += min(i - start, BUCKET) if order[i] >= fresh else 0
    out = np.empty(size, np.uint64)
    size = 0
    start = 0
    for i in range(len(keys)):
        start = i if keys[i] != keys[start] else start
        for k in range(start, min(i, start + BUCKET) if order[i] >= fresh else start):
            out[size] = np.uint64(order[k]) << np.uint64(32) | np.uint64(order[i])
            size += 1
    return out


@kernel
def _jaccard(hashes: U64, offsets: I64, pairs: I64) -> NDArray[np.float32]:
    out = np.zeros(len(pairs), np.float32)
    for p in range(len(pairs)):
        i = offsets[pairs[p, 0]]
        j = offsets[pairs[p, 1]]
        i_end = offsets[pairs[p, 0] + 1]
        j_end = offsets[pairs[p, 1] + 1]
        both = 0
        union = (i_end - i) + (j_end - j)
        while i < i_end and j < j_end:
            if hashes[i] == hashes[j]:
                both = both + 1
                i = i + 1
                j = j + 1
            elif hashes[i] < hashes[j]:
                i += 1
            else:
                j += 1
        out[p] = both / (union - both) if union > both else 1.0
    return out
