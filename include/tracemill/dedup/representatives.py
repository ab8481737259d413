"""Decides who is kept: rows are taken best first, and a row is dropped only for a row that is kept (no chaining)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracemill.text.kernels import F32, I64, Flags, kernel


@dataclass(frozen=True)
class Edges:
    """Similar pairs: `pairs` [m, 2] with the better row first, and how similar they are."""

    pairs: I64
    similarity: F32

    def above(self, threshold: float) -> Edges:
        """The pairs at least that similar."""
        keep = self.similarity >= np.float32(threshold)
        return Edges(self.pairs[keep], self.similarity[keep])


NO_EDGES = Edges(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Choice:
    """Who is kept among n rows; for a dropped row, the number of the edge (in the order given) it was dropped for."""

    kept: Flags
    edge: I64


def chosen(n: int, tiers: list[Edges]) -> Choice:
    """Greedy choice over the union of the tiers' edges; a dropped row names the first tier's most similar kept row."""
    pairs = np.concatenate([tier.pairs for tier in tiers]) if tiers else NO_EDGES.pairs
    similarity = np.concatenate([tier.similarity for tier in tiers]) if tiers else NO_EDGES.similarity
    tier = np.repeat(np.arange(len(tiers)), [len(t.pairs) for t in tiers])
    order = np.lexsort([pairs[:, 0], -similarity, tier, pairs[:, 1]])
    offsets = np.searchsorted(pairs[order, 1], np.arange(n + 1))
    kept, place = _greedy(pairs[order, 0], offsets)
    return Choice(kept, np.where(place >= 0, order[place] if len(order) else -1, -1))


@kernel
def _greedy(better: I64, offsets: I64) -> tuple[Flags, I64]:
    n = len(offsets) - 1
    kept, place = np.ones(n, np.bool_), np.full(n, -1, np.int64)
    for row in range(n):
        for e in range(offsets[row], offsets[row + 1]):
            if kept[better[e]]:
                kept[row], place[row] = False, e
                break
    return kept, place


def exact_leaders(ids: NDArray[np.bytes_], keys: NDArray[np.bytes_]) -> I64:
    """For each row (best first) the first row with the same id or the same key, through any chain of such rows."""
    leader = np.arange(len(ids))
    for column in (ids, keys):
        _, first, group = np.unique(column, return_index=True, return_inverse=True)
        leader = _joined(leader, first[group])
    return leader


@kernel
def _joined(leader: I64, other: I64) -> I64:
    """Merge two partitions, each given as the first row of every row's group."""
    root = leader.copy()
    for row in range(len(root)):
        a, b = row, other[row]
        while root[a] != a:
            a = root[a]
        while root[b] != b:
            b = root[b]
        root[max(a, b)] = min(a, b)
    for row in range(len(root)):
        root[row] = root[root[row]]
    return root
