"""Finds all pairs of vectors above a cosine without comparing all with all: only within groups, and within large groups
only near the same centroids; every pair reported was computed in exact arithmetic.

Small groups are compared whole. In a group of more than WHOLE rows each row is compared with the rows of its `probes`
nearest k-means cells (k = sqrt n), as blocks of one matrix product. See docs/design/dedup.md for the recall measured.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracemill.dedup.representatives import NO_EDGES, Edges
from tracemill.text.kernels import F32, I64, U64, kernel

WHOLE = 4096
SMALL = 48  # rows up to which a plain loop beats a matrix product
BLOCK = 4096  # rows of one product: 64 MiB of similarities at most
MARGIN = 1e-4  # more than a product in single precision loses before the exact check
CHUNK = 100_000
TRAINING = 64  # rows a centroid is trained on
ITERATIONS = 10
SEED = 1234


def similar_pairs(
    vectors: NDArray[np.float16], groups: U64, threshold: float, probes: int = 8, chunk: int = CHUNK
) -> Edges:
    """Pairs (first < second) of the same group with cosine >= threshold, sorted; vectors are unit rows, [n, d].

    Memory: one block of similarities and the pairs found, besides the vectors.
    """
    found = [NO_EDGES]
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = (
        np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1, [len(ordered)]])
        if len(ordered)
        else np.zeros(1, int)
    )
    sizes = np.diff(starts)
    for first, last in _runs(starts, sizes, chunk):
        rows = order[starts[first] : starts[last]]
        found.append(_small_groups(vectors, rows, starts[first : last + 1] - starts[first], threshold))
    for group in np.flatnonzero(sizes > SMALL):
        rows = order[starts[group] : starts[group + 1]]
        block = vectors[rows].astype(np.float32)
        local = whole_pairs(block, threshold) if len(rows) <= WHOLE else cell_pairs(block, threshold, probes)
        found.append(_verified(block, rows, local, threshold))
    pairs, similarity = np.concatenate([e.pairs for e in found]), np.concatenate([e.similarity for e in found])
    place = np.lexsort([pairs[:, 0], pairs[:, 1]])
    return Edges(pairs[place], similarity[place])


def _runs(starts: I64, sizes: I64, chunk: int) -> Iterator[tuple[int, int]]:
    """Runs of groups of 2 to SMALL rows, about `chunk` rows each."""
    begin = 0
    for group in range(len(sizes) + 1):
        end = group == len(sizes) or sizes[group] > SMALL
        if end or starts[group + 1] - starts[begin] > chunk:
            if group > begin:
                yield begin, group
            begin = group + 1 if end else group


def _small_groups(vectors: NDArray[np.float16], rows: I64, offsets: I64, threshold: float) -> Edges:
    repeated = np.repeat(np.diff(offsets) > 1, np.diff(offsets))
    if not repeated.any():
        return NO_EDGES
    sizes = np.diff(offsets)
    bounds = np.concatenate([[0], np.cumsum(sizes[sizes > 1])])
    kept = rows[repeated]
    local = _loop_pairs(vectors[kept].astype(np.float32), bounds, np.float64(threshold))
    return _sorted_pairs(kept[local[0]], local[1]) if len(local[1]) else NO_EDGES


def _sorted_pairs(pairs: I64, similarity: F32) -> Edges:
    return Edges(np.sort(pairs, axis=1), similarity)


@kernel
def exact_cosine(vectors: F32, i: int, j: int) -> float:
    """Dot product accumulated in double precision, in index order: the same bits on every machine."""
    total = 0.0
    for k in range(vectors.shape[1]):
        total += np.float64(vectors[i, k]) * np.float64(vectors[j, k])
    return total


@kernel
def _loop_pairs(vectors: F32, bounds: I64, threshold: float) -> tuple[I64, F32]:
    pairs, values = [], []
    for group in range(len(bounds) - 1):
        for j in range(bounds[group], bounds[group + 1]):
            for i in range(bounds[group], j):
                value = np.float32(exact_cosine(vectors, i, j))
                if value >= np.float32(threshold):
                    pairs.append((i, j))
                    values.append(value)
    out, similarity = np.empty((len(pairs), 2), np.int64), np.empty(len(pairs), np.float32)
    for k in range(len(pairs)):
        out[k, 0], out[k, 1] = pairs[k]
        similarity[k] = values[k]
    return out, similarity


@kernel
def _exact(vectors: F32, pairs: I64) -> F32:
    out = np.empty(len(pairs), np.float32)
    for p in range(len(pairs)):
        out[p] = exact_cosine(vectors, pairs[p, 0], pairs[p, 1])
    return out


def _verified(block: F32, rows: I64, local: I64, threshold: float) -> Edges:
    return _sorted_pairs(rows[local], _exact(block, local)).above(threshold)


def whole_pairs(block: F32, threshold: float) -> I64:
    """Candidate pairs among all rows, the upper triangle in blocks."""
    found = [NO_EDGES.pairs]
    for start in range(0, len(block), BLOCK):
        near = block[start : start + BLOCK] @ block[start:].T
        found.append(np.argwhere(np.triu(near >= threshold - MARGIN, 1)) + start)
    return np.concatenate(found)


def cell_pairs(block: F32, threshold: float, probes: int) -> I64:
    """Candidate pairs among rows that share one of each other's nearest cells."""
    nearest = _cells(block, probes)
    count = int(nearest.max()) + 1
    visits = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[visits], np.arange(count + 1))
    found = [np.zeros(0, np.uint64)]
    for cell in range(count):
        visitors = visits[bounds[cell] : bounds[cell + 1]]
        members = visitors[visitors % nearest.shape[1] == 0] // nearest.shape[1]
        found += _visits(block, visitors // nearest.shape[1], members, threshold)
    packed = np.unique(np.concatenate(found))
    return np.stack([packed >> np.uint64(32), packed & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)


def _visits(block: F32, visitors: I64, members: I64, threshold: float) -> Iterator[U64]:
    target = block[members].T
    for start in range(0, len(visitors), BLOCK):
        part = visitors[start : start + BLOCK]
        near = np.flatnonzero(block[part] @ target >= np.float32(threshold - MARGIN))
        i, j = part[near // len(members)], members[near % len(members)]
        i, j = i[i != j], j[i != j]
        yield np.minimum(i, j).astype(np.uint64) << np.uint64(32) | np.maximum(i, j).astype(np.uint64)


def _cells(block: F32, probes: int) -> NDArray[np.int32]:
    """The `probes` nearest k-means centroids of every row, nearest first, [n, probes]."""
    import faiss

    k = int(np.sqrt(len(block)))
    kmeans = faiss.Kmeans(
        block.shape[1], k, niter=ITERATIONS, seed=SEED, spherical=True, max_points_per_centroid=TRAINING,
        min_points_per_centroid=1, gpu=faiss.get_num_gpus() > 0,
    )  # fmt: skip
    kmeans.train(block)
    _, nearest = kmeans.index.search(block, min(probes, k))
    return np.asarray(nearest, np.int32)
