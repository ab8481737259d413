"""Decides who is kept: rows are taken best first, and a row is dropped only for a row that is kept (no chaining)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracemill.text.jit import F32, I64, Flags, kernel


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


TRIES = 64  # kept rows that a row is tried against, the most similar first; more would make families quadratic
Question = Callable[[int, int], bool]


def chosen(n: int, tiers: list[Edges], same: Question = lambda better, worse: True) -> Choice:
    """Greedy choice over the union of the tiers' edges; a dropped row names the first tier's most similar kept row

    of which `same` says that both are one problem. It is asked only where the answer can drop a row.
    """
    pairs = np.concatenate([tier.pairs for tier in tiers]) if tiers else NO_EDGES.pairs
    similarity = np.concatenate([tier.similarity for tier in tiers]) if tiers else NO_EDGES.similarity
    tier = np.repeat(np.arange(len(tiers)), [len(t.pairs) for t in tiers])
    order = np.lexsort([pairs[:, 0], -similarity, tier, pairs[:, 1]])
    kept = np.ones(n, np.bool_)
    edge = np.full(n, -1, np.int64)
    rows, starts = np.unique(pairs[order, 1], return_index=True)
    for row, edges in zip(rows.tolist(), np.split(order, starts)[1:], strict=True):
        tries = edges[kept[pairs[edges, 0]]][:TRIES].tolist()
        found = next((e for e in tries if same(int(pairs[e, 0]), row)), -1)
        kept[row] = found < 0
        edge[row] = found
    return Choice(kept, edge)


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
        a = row
        b = other[row]
        while root[a] != a:
            a = root[a]
        while root[b] != b:
            b = root[b]
        root[max(a, b)] = min(a, b)
    for row in range(len(root)):
        root[row] = root[root[row]]
    return root
