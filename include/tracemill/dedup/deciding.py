"""Decides over a corpus who is dropped for whom: exact copies, then what the searches find and the referee grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracemill.dedup.agreement_key import numberless
from tracemill.dedup.corpus import Corpus
from tracemill.dedup.load import read_grams, read_vectors
from tracemill.dedup.minhash import candidate_pairs, jaccard
from tracemill.dedup.referee import Referee
from tracemill.dedup.representatives import NO_EDGES, Choice, Edges, chosen, exact_leaders
from tracemill.dedup.semantic import Cells, similar_pairs
from tracemill.engine.step import Inputs
from tracemill.text.jit import F32, I64, U64

MOST = 64  # answers and prints of one text that a row of it is compared with
WRITTEN = np.uint64(1)  # the bit of a guard that says how the text is written


@dataclass(frozen=True)
class Decision:
    """For every row of the corpus: the row it is dropped for (itself: it is kept), how (METHODS), and how similar;

    `words`: those in which the texts of a near-duplicate and the row it is dropped for differ.
    """

    target: I64
    method: NDArray[np.int8]
    similarity: F32
    cells: Cells
    words: dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class Rules:
    """What is compared how: thresholds (null turns a tier off), cells looked into, processes; `shingle` in words."""

    fuzzy: float | None
    semantic: float | None
    across: float | None
    probes: int
    shingle: int
    workers: int


@dataclass(frozen=True)
class Deciding:
    """One decision over one corpus."""

    inputs: Inputs
    corpus: Corpus
    rules: Rules

    def decision(self) -> Decision:
        """Exact copies follow the best row of their text; of those best rows, near-duplicates follow a kept one."""
        corpus = self.corpus
        cells = Cells(np.full(len(self.corpus), -1, np.int32))
        leader = self._leaders()
        leader[: corpus.fixed] = np.arange(corpus.fixed)
        rows, fresh = self._comparable(leader)
        alike, fuzzy = self._fuzzy(rows, fresh)
        tiers = [fuzzy, self._semantic(rows, alike, cells), self._across(rows)]
        pairs = np.concatenate([tier.pairs for tier in tiers])
        referee = Referee(self.inputs, corpus, np.unique(pairs), self.rules.workers)
        told: dict[int, tuple[str, ...]] = {}

        def same(one: int, other: int) -> bool:
            found = referee.difference(one, other)
            told[other] = found.words
            return found.harmless

        choice = chosen(len(corpus), tiers, same)
        return self._decision(leader, tiers, choice, told, cells)

    def _decision(
        self, leader: I64, tiers: list[Edges], choice: Choice, told: dict[int, tuple[str, ...]], cells: Cells
    ) -> Decision:
        corpus = self.corpus
        pairs = np.concatenate([tier.pairs for tier in tiers])
        target = np.arange(len(corpus))
        method = np.zeros(len(corpus), np.int8)
        similarity = np.ones(len(corpus), np.float32)
        old = slice(corpus.anchors, corpus.fixed)
        target[old] = corpus.target
        method[old] = corpus.method
        similarity[old] = corpus.similarity
        near = np.flatnonzero(choice.edge >= 0)
        edge = choice.edge[near]
        target[near] = pairs[edge, 0]
        method[near] = np.repeat([1, 2, 2], [len(tier.pairs) for tier in tiers])[edge]
        similarity[near] = np.concatenate([tier.similarity for tier in tiers])[edge]
        dropped = set(near.tolist())
        words = {row: told[first] for row, first in enumerate(leader.tolist()) if first in dropped}
        return Decision(target[leader], method[leader], similarity[leader], cells, words)

    def _leaders(self) -> I64:
        """The best row of each text; a text with several answers, or prints that may be two problems, has several."""
        corpus = self.corpus
        _, group, sizes = np.unique(corpus.keys, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(sizes[group] > 1)
        if not len(shared) or corpus.fixed == len(corpus):
            return exact_leaders(corpus.ids, corpus.keys)
        referee = Referee(self.inputs, corpus, shared, self.rules.workers)
        keys = corpus.keys.copy()
        for rows in _runs(shared[referee.contested(shared, group[shared])], group):
            for answer, members in enumerate(_parted(referee, rows)):
                for row in members if answer else []:
                    keys[row] = keys[row][:24] + f"{answer:08x}".encode()
        return exact_leaders(corpus.ids, keys)

    def _comparable(self, leader: I64) -> tuple[I64, int]:
        """The rows to compare (new best rows and kept old ones, where another has the same guard), and how many are

        old.
        """
        corpus = self.corpus
        guards = corpus.guards | WRITTEN
        new = np.flatnonzero(leader == np.arange(len(corpus)))
        new = new[new >= corpus.fixed]
        old = np.flatnonzero(np.isin(guards[: corpus.anchors], guards[new]))
        rows = np.concatenate([old, new])
        _, group, sizes = np.unique(guards[rows], return_inverse=True, return_counts=True)
        rows = rows[sizes[group] > 1]
        return rows, int(np.searchsorted(rows, corpus.fixed))

    def _fuzzy(self, rows: I64, fresh: int) -> tuple[I64, Edges]:
        """Pairs of rows of the corpus that share a MinHash band, and those of them that are similar."""
        if self.rules.fuzzy is None:
            return NO_EDGES.pairs, NO_EDGES
        pairs = candidate_pairs(self.corpus.marks(rows), self.corpus.guards[rows], fresh)
        seen, places = np.unique(pairs, return_inverse=True)
        grams = read_grams(self.inputs, self.corpus, rows[seen], self.rules.shingle)
        return rows[pairs], Edges(rows[pairs], jaccard(grams, places.reshape(-1, 2))).above(self.rules.fuzzy)

    def _semantic(self, rows: I64, alike: I64, cells: Cells) -> Edges:
        """Pairs of rows of the corpus. Those in `alike` are checked too: a change of words costs Jaccard more than

        cosine, and k-means misses some pairs. `cells` is told how large groups were split.
        """
        corpus = self.corpus
        if self.rules.semantic is None:
            return NO_EDGES
        if corpus.near is not None:  # old rows were looked up in the index: only these pairs of old and new are left
            alike = np.concatenate([alike, self._near(same=True)])
            alike = np.unique(alike[np.isin(alike[:, 1], rows)], axis=0)
            rows = np.union1d(rows[rows >= corpus.fixed], alike)
        vectors = read_vectors(self.inputs, corpus, rows)
        own = Cells(np.full(len(rows), -1, np.int32))
        proposed = np.searchsorted(rows, alike[np.isin(alike, rows).all(axis=1)])
        guards = self._guards(rows)
        fresh = int(np.searchsorted(rows, corpus.fixed))
        found = similar_pairs(
            vectors, guards, self.rules.semantic, self.rules.probes, fresh, proposed=proposed, cells=own
        )
        cells.cell[rows] = own.cell
        cells.centroids.update(own.centroids)
        return Edges(rows[found.pairs], found.similarity)

    def _across(self, rows: I64) -> Edges:
        """Pairs of two ways of writing, with numbers: without any, texts on one matter are too easily alike."""
        corpus = self.corpus
        threshold = self.rules.across
        if threshold is None or self.rules.semantic is None:
            return NO_EDGES
        proposed = NO_EDGES.pairs
        if corpus.near is not None:
            proposed = self._near(same=False)
            proposed = proposed[np.isin(proposed[:, 1], rows)]
        rows = np.union1d(_mixed(corpus.guards, rows), proposed)
        if corpus.near is not None:
            rows = np.union1d(rows[rows >= corpus.fixed], proposed)
        vectors = read_vectors(self.inputs, corpus, rows)
        guards = self._guards(rows) | WRITTEN
        fresh = int(np.searchsorted(rows, corpus.fixed))
        near = np.searchsorted(rows, proposed)
        found = similar_pairs(vectors, guards, threshold, self.rules.probes, fresh, proposed=near)
        pairs = rows[found.pairs]
        crossing = (corpus.guards[pairs] & WRITTEN).sum(axis=1) == 1
        return Edges(pairs[crossing], found.similarity[crossing])

    def _near(self, same: bool) -> I64:
        """The pairs that the index found, of one way of writing or of two."""
        assert self.corpus.near is not None
        written = (self.corpus.guards[self.corpus.near] & WRITTEN).sum(axis=1)
        near: I64 = self.corpus.near[(written != 1) == same]
        return near

    def _guards(self, rows: I64) -> U64:
        """Their guards; where the index has looked old rows up, each has a group of its own: none is searched again."""
        guards = self.corpus.guards[rows]
        if self.corpus.near is None:
            return guards
        return np.where(rows < self.corpus.fixed, (2 * np.arange(len(rows))).astype(np.uint64), guards)


def _mixed(guards: U64, rows: I64) -> I64:
    """The rows with numbers in groups that hold texts of both ways of writing."""
    rows = rows[~np.isin(guards[rows], numberless())]
    own = guards[rows]
    return rows[np.isin(own ^ WRITTEN, own)]


def _runs(rows: I64, group: I64) -> Iterator[list[int]]:
    order = np.lexsort([rows, group[rows]])
    cuts = np.flatnonzero(np.diff(group[rows][order])) + 1
    for part in np.split(rows[order], cuts):
        if len(part):
            yield part.tolist()


def _parted(referee: Referee, rows: list[int]) -> list[list[int]]:
    """Rows of one text by answer and print, best first; a row goes to the first of which it is no other problem.

    After MOST parts a row that is like none of those has a part of its own.
    """
    parts: list[list[int]] = []
    referee.ask(np.array([(rows[0], other) for other in rows[1:]], np.int64).reshape(-1, 2))
    for row in rows:
        home = next((part for part in parts[:MOST] if referee.same(part[0], row)), None)
        if home is None:
            parts.append([row])
        else:
            home.append(row)
    return parts
