"""Decides over all shards which problems say the same and which one of them represents the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from tracemill.dedup.corpus import Columns, Corpus, arranged, read_columns
from tracemill.dedup.growth import grown_corpus
from tracemill.dedup.index import Index, indexed
from tracemill.dedup.living import METHODS, Decided, decided, settled_table, shard_digests
from tracemill.dedup.minhash import candidate_pairs, jaccard
from tracemill.dedup.reading import read_grams, read_vectors
from tracemill.dedup.representatives import NO_EDGES, Edges, chosen, exact_leaders
from tracemill.dedup.semantic import Cells, Half, similar_pairs
from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, kept_rows
from tracemill.steps.sign import SHINGLE
from tracemill.tables import columns_of
from tracemill.text.kernels import F32, I64

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class Decision:
    """For every row of the corpus: the row it is dropped for (itself: it is kept), how (METHODS), and how similar."""

    target: I64
    method: NDArray[np.int8]
    similarity: F32
    cells: Cells


@dataclass(frozen=True)
class Found:
    """What a run decided: tables `duplicates` and `held_back`, and the index with these decisions."""

    duplicates: pa.Table
    held_back: pa.Table
    index: Index


class Cluster(Step):
    """Writes `duplicates`: every row that is dropped, the kept row it duplicates, how that was seen, and how similar.

    exact: the same id or the same text as tokenised. fuzzy: word 3-grams with Jaccard >= `fuzzy`. semantic: cosine >=
    `semantic`. The last two only where quantities, names and question words agree (tracemill.dedup.guard); null turns
    one off. The paper (2503.19633) names no thresholds; docs/design/dedup.md says how these were chosen. A store that
    has grown is not decided anew: see tracemill.dedup.living.
    """

    kind: Literal["cluster"]
    fuzzy: Share | None = 0.7
    semantic: Share | None = 0.9
    probes: Annotated[int, Field(ge=1)] = 8
    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "labels", "signatures", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("duplicates", "settled", "held_back", "ledger")

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """The duplicates of all shards, sorted by shard and id."""
        digests = shard_digests(inputs, {"version": self.version, **self.settings(inputs)})
        known = decided(inputs, digests)
        before = indexed(inputs, digests)
        found = self._from_scratch(inputs, known) if before is None else self._grown(inputs, before, digests)
        tables = {
            "duplicates": pa.concat_tables([known.duplicates, found.duplicates])
            if before is not None
            else found.duplicates,
            "settled": settled_table(digests),
            "held_back": pa.concat_tables([known.held_back, found.held_back]),
            **found.index.tables(),
        }
        return Output(kept_rows("problem", found.index.ids()), tables, found.index.carried)

    def _from_scratch(self, inputs: Inputs, known: Decided) -> Found:
        """Read all shards; what was decided about unchanged ones stays."""
        columns = read_columns(inputs, inputs.shards(), known)
        corpus = arranged(columns)
        decision = self._decided(inputs, corpus)
        made = Index(_decisions(columns, corpus, decision), decision.cells.centroids)
        made.columns["cell"][corpus.places] = decision.cells.cell
        return Found(self._duplicates(corpus, decision), _held_back(corpus, decision), made)

    def _grown(self, inputs: Inputs, before: Index, digests: Mapping[int, str]) -> Found:
        """Read the new shards, and of the old ones what the index says; the index grows."""
        shards = [shard for shard in digests if shard > before.last_shard()]
        new = read_columns(inputs, shards)
        own = arranged(new)
        place = np.argsort(own.places)  # where each new row stands among the ranked ones

        def vectors(rows: I64) -> Half:
            return read_vectors(inputs, own, place[rows])

        corpus, cell = grown_corpus(before, new, vectors, self.semantic, self.probes)
        decision = self._decided(inputs, corpus)
        added = _decisions(new, corpus, decision, len(before))
        added["cell"] = cell
        return Found(
            self._duplicates(corpus, decision, corpus.fixed), _held_back(corpus, decision), before.grown(added)
        )

    def _decided(self, inputs: Inputs, corpus: Corpus) -> Decision:
        """Exact copies follow the best row of their text; of those best rows, near-duplicates follow a kept one."""
        leader = exact_leaders(corpus.ids, corpus.keys)
        leader[: corpus.fixed] = np.arange(corpus.fixed)
        rows, fresh = _comparable(corpus, leader)
        cells = Cells(np.full(len(corpus), -1, np.int32))
        alike, fuzzy = self._fuzzy(inputs, corpus, rows, fresh)
        tiers = [fuzzy, self._semantic(inputs, corpus, _undecided(corpus, rows, fuzzy), alike, cells)]
        choice = chosen(len(corpus), tiers)
        pairs = np.concatenate([tier.pairs[:, 0] for tier in tiers])
        target, method = np.arange(len(corpus)), np.zeros(len(corpus), np.int8)
        similarity = np.ones(len(corpus), np.float32)
        old = slice(corpus.anchors, corpus.fixed)
        target[old], method[old], similarity[old] = corpus.target, corpus.method, corpus.similarity
        near = np.flatnonzero(choice.edge >= 0)
        edge = choice.edge[near]
        target[near] = pairs[edge]
        method[near] = np.repeat([1, 2], [len(tier.pairs) for tier in tiers])[edge]
        similarity[near] = np.concatenate([tier.similarity for tier in tiers])[edge]
        return Decision(target[leader], method[leader], similarity[leader], cells)

    def _fuzzy(self, inputs: Inputs, corpus: Corpus, rows: I64, fresh: int) -> tuple[I64, Edges]:
        """Pairs of rows of the corpus that share a MinHash band, and those of them that are similar."""
        if self.fuzzy is None:
            return NO_EDGES.pairs, NO_EDGES
        pairs = candidate_pairs(corpus.marks(rows), corpus.guards[rows], fresh)
        seen, places = np.unique(pairs, return_inverse=True)
        grams = read_grams(inputs, corpus, rows[seen], SHINGLE)
        return rows[pairs], Edges(rows[pairs], jaccard(grams, places.reshape(-1, 2))).above(self.fuzzy)

    def _semantic(self, inputs: Inputs, corpus: Corpus, rows: I64, alike: I64, cells: Cells) -> Edges:
        """Pairs of rows of the corpus. Those in `alike` are checked too: a change of words costs Jaccard more than

        cosine, and k-means misses some pairs. `cells` is told how large groups were split.
        """
        if self.semantic is None:
            return NO_EDGES
        if corpus.near is not None:  # old rows were looked up in the index: only these pairs of old and new are left
            alike = np.concatenate([alike, corpus.near])
            alike = np.unique(alike[np.isin(alike[:, 1], rows)], axis=0)
            rows = np.union1d(rows[rows >= corpus.fixed], alike)
        vectors, own = read_vectors(inputs, corpus, rows), Cells(np.full(len(rows), -1, np.int32))
        proposed = np.searchsorted(rows, alike[np.isin(alike, rows).all(axis=1)])
        guards, fresh = corpus.guards[rows], int(np.searchsorted(rows, corpus.fixed))
        if corpus.near is not None:  # a group each, so that none is searched again
            guards = np.where(rows < corpus.fixed, np.arange(len(rows)).astype(np.uint64), guards)
        found = similar_pairs(vectors, guards, self.semantic, self.probes, fresh, proposed=proposed, cells=own)
        cells.cell[rows] = own.cell
        cells.centroids.update(own.centroids)
        return Edges(rows[found.pairs], found.similarity)

    def _duplicates(self, corpus: Corpus, decision: Decision, start: int = 0) -> pa.Table:
        """The rows dropped from `start` on, sorted by shard and id."""
        dropped = np.flatnonzero(decision.target != np.arange(len(corpus)))
        dropped = dropped[dropped >= start]
        dropped = dropped[np.lexsort([corpus.ids[dropped], corpus.shards[dropped]])]
        target, method = decision.target[dropped], decision.method[dropped]
        columns = [
            *_named(corpus, dropped),
            *_named(corpus, target),
            np.array(METHODS)[method],
            decision.similarity[dropped],
            np.array([1.0, self.fuzzy or 0, self.semantic or 0], np.float32)[method],
        ]
        return _table("duplicates", columns)


def _comparable(corpus: Corpus, leader: I64) -> tuple[I64, int]:
    """The rows to compare (new best rows and kept old ones, where another has the same guard), and how many are old."""
    new = np.flatnonzero(leader == np.arange(len(corpus)))
    new = new[new >= corpus.fixed]
    old = np.flatnonzero(np.isin(corpus.guards[: corpus.anchors], corpus.guards[new]))
    return _grouped(corpus, np.concatenate([old, new]))


def _grouped(corpus: Corpus, rows: I64) -> tuple[I64, int]:
    """The rows that share a guard with another one, and how many of them are old."""
    _, group, sizes = np.unique(corpus.guards[rows], return_inverse=True, return_counts=True)
    rows = rows[sizes[group] > 1]
    return rows, int(np.searchsorted(rows, corpus.fixed))


def _undecided(corpus: Corpus, rows: I64, fuzzy: Edges) -> I64:
    """The rows to compare by vectors: not the new ones that are similar to an old kept row by their words already."""
    left = np.ones(len(corpus), np.bool_)
    left[fuzzy.pairs[fuzzy.pairs[:, 0] < corpus.anchors, 1]] = False
    return _grouped(corpus, rows[left[rows]])[0]


def _decisions(columns: Columns, corpus: Corpus, decision: Decision, first: int = 0) -> Columns:
    """The columns with what was decided about the rows that stand at `first` and later in the index."""
    own = corpus.places >= first
    place = corpus.places[own] - first
    decided: Columns = {name: np.empty(len(place), kind) for name, kind in _DECIDED.items()}
    decided["target"][place] = corpus.places[decision.target[own]]
    decided["method"][place], decided["similarity"][place] = decision.method[own], decision.similarity[own]
    return {name: values for name, values in columns.items() if name not in _TRANSIENT} | decided


_TRANSIENT = {"state", "place"}
_DECIDED = {"target": np.int64, "method": np.int8, "similarity": np.float32, "cell": np.int32}


def _held_back(corpus: Corpus, decision: Decision) -> pa.Table:
    """New rows that are better than the old row they were dropped for."""
    rows = np.arange(corpus.fixed, len(corpus))
    target = decision.target[rows]
    late = rows[(target < corpus.anchors) & (corpus.rank[rows] < corpus.rank[target])]
    late = late[np.lexsort([corpus.ids[late], corpus.shards[late]])]
    return _table("held_back", [*_named(corpus, late), *_named(corpus, decision.target[late])])


def _named(corpus: Corpus, rows: I64) -> tuple[NDArray[Any], NDArray[Any]]:
    return corpus.ids[rows], corpus.shards[rows]


def _table(name: str, columns: list[Any]) -> pa.Table:
    schema = columns_of(name)
    absent = [pa.nulls(len(columns[0]), field.type) for field in list(schema)[len(columns) :]]
    return pa.table([pa.array(c, f.type) for c, f in zip([*columns, *absent], schema, strict=True)], schema=schema)
