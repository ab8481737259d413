"""Decides over all shards which problems say the same and which one of them represents the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from tracemill.dedup.corpus import Corpus, read_corpus, read_grams, read_sketches, read_vectors
from tracemill.dedup.living import METHODS, decided, settled_table, shard_digests
from tracemill.dedup.minhash import candidate_pairs, jaccard
from tracemill.dedup.representatives import NO_EDGES, Edges, chosen, exact_leaders
from tracemill.dedup.semantic import similar_pairs
from tracemill.records import SCHEMAS, Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.steps.sign import SHINGLE
from tracemill.text.kernels import F32, I64

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class Decision:
    """For every row of the corpus: the row it is dropped for (itself: it is kept), how (METHODS), and how similar."""

    target: I64
    method: NDArray[np.int8]
    similarity: F32


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
        corpus = read_corpus(inputs, decided(inputs, digests))
        decision = self._decided(inputs, corpus)
        tables = {
            "duplicates": self._duplicates(corpus, decision),
            "settled": settled_table(digests),
            "held_back": _held_back(corpus, decision),
        }
        return Output(ledger_rows("problem", corpus.ids.astype(str).tolist()), tables)

    def _decided(self, inputs: Inputs, corpus: Corpus) -> Decision:
        """Exact copies follow the best row of their text; of those best rows, near-duplicates follow a kept one."""
        leader = exact_leaders(corpus.ids, corpus.keys)
        leader[: corpus.fixed] = np.arange(corpus.fixed)
        rows, fresh = _comparable(corpus, leader)
        tiers = [self._fuzzy(inputs, corpus, rows, fresh), self._semantic(inputs, corpus, rows, fresh)]
        choice = chosen(len(corpus), [Edges(rows[tier.pairs], tier.similarity) for tier in tiers])
        pairs = np.concatenate([rows[tier.pairs[:, 0]] for tier in tiers])
        target, method = np.arange(len(corpus)), np.zeros(len(corpus), np.int8)
        similarity = np.ones(len(corpus), np.float32)
        old = slice(corpus.anchors, corpus.fixed)
        target[old], method[old], similarity[old] = corpus.target, corpus.method, corpus.similarity
        near = np.flatnonzero(choice.edge >= 0)
        edge = choice.edge[near]
        target[near] = pairs[edge]
        method[near] = np.repeat([1, 2], [len(tier.pairs) for tier in tiers])[edge]
        similarity[near] = np.concatenate([tier.similarity for tier in tiers])[edge]
        return Decision(target[leader], method[leader], similarity[leader])

    def _fuzzy(self, inputs: Inputs, corpus: Corpus, rows: I64, fresh: int) -> Edges:
        if self.fuzzy is None:
            return NO_EDGES
        pairs = candidate_pairs(read_sketches(inputs, corpus, rows), corpus.guards[rows], fresh)
        seen, places = np.unique(pairs, return_inverse=True)
        grams = read_grams(inputs, corpus, rows[seen], SHINGLE)
        return Edges(pairs, jaccard(grams, places.reshape(-1, 2))).above(self.fuzzy)

    def _semantic(self, inputs: Inputs, corpus: Corpus, rows: I64, fresh: int) -> Edges:
        if self.semantic is None:
            return NO_EDGES
        vectors = read_vectors(inputs, corpus, rows)
        return similar_pairs(vectors, corpus.guards[rows], self.semantic, self.probes, fresh)

    def _duplicates(self, corpus: Corpus, decision: Decision) -> pa.Table:
        dropped = np.flatnonzero(decision.target != np.arange(len(corpus)))
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
    rows = np.concatenate([old, new])
    _, group, sizes = np.unique(corpus.guards[rows], return_inverse=True, return_counts=True)
    rows = rows[sizes[group] > 1]
    return rows, int(np.searchsorted(rows, corpus.fixed))


def _held_back(corpus: Corpus, decision: Decision) -> pa.Table:
    """New rows that are better than the old row they were dropped for."""
    rows = np.arange(corpus.fixed, len(corpus))
    target = decision.target[rows]
    late = rows[(target < corpus.anchors) & (corpus.rank[rows] < corpus.rank[target])]
    late = late[np.lexsort([corpus.ids[late], corpus.shards[late]])]
    return _table("held_back", [*_named(corpus, late), *_named(corpus, decision.target[late])])


def _named(corpus: Corpus, rows: I64) -> tuple[NDArray[Any], NDArray[Any]]:
    return corpus.ids[rows].astype(str), corpus.shards[rows]


def _table(name: str, columns: list[Any]) -> pa.Table:
    schema = SCHEMAS[name]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
