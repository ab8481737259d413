"""Finds all pairs of vectors above a cosine without comparing all with all: only within groups, and within large groups
only near the same centroids; every pair reported was computed in exact arithmetic.

Small groups are compared whole. In a group of more than WHOLE rows each row is compared with the rows of its `probes`
nearest k-means cells (k = sqrt n), as blocks of one matrix product. See docs/design/dedup.md for the recall measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemill.dedup.representatives import NO_EDGES, Edges
from tracemill.text.jit import F32, I32, I64, U64, Flags, kernel

Half = NDArray[np.float16]
WHOLE = 4096
SMALL = 48  # rows up to which a plain loop beats a matrix product
BLOCK = 4096  # rows of one product: 64 MiB of similarities at most
MARGIN = 1e-4  # more than a product in single precision loses before the exact check
CHUNK = 100_000
TRAINING = 64  # rows a centroid is trained on
ITERATIONS = 10
SEED = 1234


def similar_pairs(
    vectors: Half,
    groups: U64,
    threshold: float,
    probes: int = 8,
    fresh: int = 0,
    chunk: int = CHUNK,
    proposed: I64 = NO_EDGES.pairs,
    cells: Cells | None = None,
) -> Edges:
    """Pairs (first < second) of the same group with cosine >= threshold, sorted; vectors are unit rows, [n, d].

    Rows before `fresh` are not compared with each other; `proposed` pairs are checked in any case (another search found
    them); `cells` is told how large groups were split. Memory: the vectors once more for the largest group, one block
    of similarities, and the pairs found.
    """
    found = [_verified(vectors, np.arange(len(vectors)), proposed, threshold)]
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    cuts = np.flatnonzero(np.diff(ordered)) + 1
    starts = np.concatenate([[0], cuts, [len(ordered)]]) if len(ordered) else np.zeros(1, np.int64)
    sizes = np.diff(starts)
    for first, last in _runs(starts, sizes, chunk):
        rows = order[starts[first] : starts[last]]
        found.append(_small_groups(vectors, rows, starts[first : last + 1] - starts[first], threshold, fresh))
    for group in np.flatnonzero(sizes > SMALL):
        rows = order[starts[group] : starts[group + 1]]
        new = int(np.searchsorted(rows, fresh))
        if new == len(rows):
            continue
        group_vectors = vectors[rows]
        if len(rows) <= WHOLE:
            near = whole_pairs(group_vectors, threshold, new)
        else:
            centroids, nearest = cells_of(group_vectors, probes)
            near = cell_pairs(group_vectors, threshold, nearest, new)
            if cells is not None:
                cells.note(int(groups[rows[0]]), rows, nearest[:, 0], centroids)
        found.append(_verified(group_vectors, rows, near, threshold))
    pairs = np.concatenate([e.pairs for e in found])
    similarity = np.concatenate([e.similarity for e in found])
    place = np.lexsort([pairs[:, 0], pairs[:, 1]])
    again = np.zeros(len(place), np.bool_)
    again[1:] = (pairs[place][1:] == pairs[place][:-1]).all(axis=1)
    return Edges(pairs[place][~again], similarity[place][~again])


def _runs(starts: I64, sizes: I64, chunk: int) -> Iterator[tuple[int, int]]:
    """Runs of groups of 2 to SMALL rows, about `chunk` rows each."""
    begin = 0
    for group in range(len(sizes) + 1):
        end = group == len(sizes) or sizes[group] > SMALL
        if end or starts[group + 1] - starts[begin] > chunk:
            if group > begin:
                yield begin, group
            begin = group + 1 if end else group


def _small_groups(vectors: Half, rows: I64, offsets: I64, threshold: float, fresh: int) -> Edges:
    """Pairs of many groups; only groups with a fresh row and another one are looked at."""
    sizes = np.diff(offsets)
    newest = np.maximum.reduceat(rows, offsets[:-1]) if len(rows) else np.zeros(len(sizes), np.int64)
    wanted = (sizes > 1) & (newest >= fresh)
    if not wanted.any():
        return NO_EDGES
    bounds = np.concatenate([[0], np.cumsum(sizes[wanted])])
    kept = rows[np.repeat(wanted, sizes)]
    local = _loop_pairs(vectors[kept].astype(np.float32), bounds, kept >= fresh, np.float64(threshold))
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
def _loop_pairs(vectors: F32, bounds: I64, new: Flags, threshold: float) -> tuple[I64, F32]:
    pairs = []
    values = []
    for group in range(len(bounds) - 1):
        for j in range(bounds[group], bounds[group + 1]):
            for i in range(bounds[group], j if new[j] else bounds[group]):
                value = np.float32(exact_cosine(vectors, i, j))
                if value >= np.float32(threshold):
                    pairs.append((i, j))
                    values.append(value)
    out = np.empty((len(pairs), 2), np.int64)
    similarity = np.empty(len(pairs), np.float32)
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


def _verified(vectors: Half, rows: I64, local: I64, threshold: float) -> Edges:
    """The candidate pairs whose exact cosine reaches the threshold."""
    found = [NO_EDGES]
    for start in range(0, len(local), CHUNK):
        seen, places = np.unique(local[start : start + CHUNK], return_inverse=True)
        similarity = _exact(vectors[seen].astype(np.float32), places.reshape(-1, 2))
        found.append(_sorted_pairs(rows[local[start : start + CHUNK]], similarity).above(threshold))
    return Edges(np.concatenate([e.pairs for e in found]), np.concatenate([e.similarity for e in found]))


def whole_pairs(vectors: Half, threshold: float, new: int = 0) -> I64:
    """Candidate pairs among all rows, the second at or after `new`; the upper triangle in blocks."""
    block = vectors.astype(np.float32)
    found = [NO_EDGES.pairs]
    for start in range(0, len(block), BLOCK):
        right = max(start, new)
        near = np.argwhere(block[start : start + BLOCK] @ block[right:].T >= np.float32(threshold - MARGIN))
        near += (start, right)
        found.append(near[near[:, 0] < near[:, 1]])
    return np.concatenate(found)


def cell_pairs(vectors: Half, threshold: float, nearest: I32, new: int = 0) -> I64:
    """Candidate pairs, one of them at or after `new`, of which one is in a cell near the other (see cells_of)."""
    count = int(nearest.max()) + 1
    width = nearest.shape[1]
    visits = np.argsort(nearest.ravel(), kind="stable")
    bounds = np.searchsorted(nearest.ravel()[visits], np.arange(count + 1))
    found = [np.zeros(0, np.uint64)]
    for cell in range(count):
        visitors = visits[bounds[cell] : bounds[cell + 1]]
        members = visitors[visitors % width == 0] // width
        visitors = visitors // width
        found += _visits(vectors, visitors[visitors >= new], members, threshold)
        if new:
            found += _visits(vectors, visitors[visitors < new], members[members >= new], threshold)
    packed = np.unique(np.concatenate(found))
    return np.stack([packed >> np.uint64(32), packed & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)


def _visits(vectors: Half, visitors: I64, members: I64, threshold: float) -> Iterator[U64]:
    """Packed pairs of a visitor and a member of one cell."""
    target = vectors[members].astype(np.float32).T
    for start in range(0, len(visitors) if len(members) else 0, BLOCK):
        part = visitors[start : start + BLOCK]
        near = np.flatnonzero(vectors[part].astype(np.float32) @ target >= np.float32(threshold - MARGIN))
        i = part[near // len(members)]
        j = members[near % len(members)]
        i, j = i[i != j], j[i != j]
        yield np.minimum(i, j).astype(np.uint64) << np.uint64(32) | np.maximum(i, j).astype(np.uint64)


@dataclass
class Cells:
    """How large groups were split: their centroids by guard, and the cell of each row (-1: its group is not large)."""

    cell: I32
    centroids: dict[int, F32] = field(default_factory=dict)

    def note(self, guard: int, rows: I64, cell: I32, centroids: F32) -> None:
        """The rows of one group and the cell that each is in."""
        self.cell[rows] = cell
        self.centroids[guard] = centroids


def nearest_cells(vectors: F32, centroids: F32, count: int) -> I32:
    """The `count` nearest centroids of every row, nearest first."""
    import faiss

    index = faiss.IndexFlatIP(centroids.shape[1])
    index.add(np.ascontiguousarray(centroids))
    index = on_device(index)
    found: I32 = index.search(vectors, min(count, len(centroids)))[1].astype(np.int32)
    return found


def on_device(index: Any) -> Any:
    """The index on the GPUs that FAISS sees (package faiss-gpu), else as it is; what it finds is the same."""
    import faiss

    return faiss.index_cpu_to_all_gpus(index) if faiss.get_num_gpus() > 0 else index


def cells_of(vectors: Half, probes: int) -> tuple[F32, I32]:
    """k-means centroids, k = sqrt n, and the `probes` nearest of them of every row, nearest first, [n, probes]."""
    import faiss

    k = int(np.sqrt(len(vectors)))
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(vectors))[: TRAINING * k])
    kmeans = faiss.Kmeans(
        vectors.shape[1], k, niter=ITERATIONS, seed=SEED, spherical=True, max_points_per_centroid=TRAINING,
        min_points_per_centroid=1, gpu=False,
    )  # fmt: skip
    kmeans.train(vectors[chosen].astype(np.float32))  # on the CPU: cells, and so pairs, are the same on every machine
    index = on_device(kmeans.index)
    nearest = np.empty((len(vectors), min(probes, k)), np.int32)
    for start in range(0, len(vectors), CHUNK):
        part = slice(start, start + CHUNK)
        nearest[part] = index.search(vectors[part].astype(np.float32), nearest.shape[1])[1]
    return np.asarray(kmeans.centroids, np.float32).reshape(k, -1), nearest
