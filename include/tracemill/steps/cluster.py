"""Decides over all shards which problems say the same and which one of them represents the others."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from tracemill.dedup.corpus import Corpus, read_corpus, read_grams, read_sketches, read_vectors
from tracemill.dedup.minhash import candidate_pairs, jaccard
from tracemill.dedup.representatives import Edges, chosen, exact_leaders
from tracemill.dedup.semantic import similar_pairs
from tracemill.records import SCHEMAS, Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.steps.sign import SHINGLE
from tracemill.text.kernels import I64

Share = Annotated[float, Field(gt=0, le=1)]


class Cluster(Step):
    """Writes `duplicates`: every row that is dropped, the kept row it duplicates, how that was seen, and how similar.

    exact: the same id or the same text as tokenised. fuzzy: word 3-grams with Jaccard >= `fuzzy`. semantic: cosine >=
    `semantic`. The last two only where quantities, names and question words agree (tracemill.dedup.guard); null turns
    one off. The paper (2503.19633) names no thresholds; docs/design/dedup.md says how these were chosen.
    """

    kind: Literal["cluster"]
    fuzzy: Share | None = 0.7
    semantic: Share | None = 0.9
    probes: Annotated[int, Field(ge=1)] = 8
    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "labels", "signatures", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("duplicates", "ledger")

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """The duplicates of all shards, sorted by shard and id."""
        corpus = read_corpus(inputs)
        table = self._duplicates(inputs, corpus)
        return Output(ledger_rows("problem", corpus.ids.astype(str).tolist()), {"duplicates": table})

    def _duplicates(self, inputs: Inputs, corpus: Corpus) -> pa.Table:
        leader = exact_leaders(corpus.ids, corpus.keys)
        rows = _with_mates(corpus, np.flatnonzero(leader == np.arange(len(corpus))))
        tiers = [self._fuzzy(inputs, corpus, rows), self._semantic(inputs, corpus, rows)]
        methods = np.repeat(["fuzzy", "semantic"], [len(tier.pairs) for tier in tiers])
        pairs = np.concatenate([tier.pairs for tier in tiers])
        similarity = np.concatenate([tier.similarity for tier in tiers])
        choice = chosen(len(corpus), [Edges(rows[tier.pairs], tier.similarity) for tier in tiers])
        edge = choice.edge[leader]
        target = np.where(edge >= 0, rows[pairs[edge, 0]] if len(pairs) else leader, leader)
        near = edge >= 0
        method = np.where(near, methods[edge] if len(pairs) else "", "exact")
        dropped = np.flatnonzero(target != np.arange(len(corpus)))
        dropped = dropped[np.lexsort([corpus.ids[dropped], corpus.shards[dropped]])]
        limits = {"exact": 1.0, "fuzzy": self.fuzzy, "semantic": self.semantic}
        columns = [
            corpus.ids[dropped].astype(str),
            corpus.shards[dropped],
            corpus.ids[target[dropped]].astype(str),
            corpus.shards[target[dropped]],
            method[dropped],
            np.where(near, similarity[edge] if len(pairs) else 1.0, 1.0)[dropped],
            [limits[m] for m in method[dropped].tolist()],
        ]
        schema = SCHEMAS["duplicates"]
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)

    def _fuzzy(self, inputs: Inputs, corpus: Corpus, rows: I64) -> Edges:
        if self.fuzzy is None:
            return Edges(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
        pairs = candidate_pairs(read_sketches(inputs, corpus, rows), corpus.guards[rows])
        seen, places = np.unique(pairs, return_inverse=True)
        grams = read_grams(inputs, corpus, rows[seen], SHINGLE)
        return Edges(pairs, jaccard(grams, places.reshape(-1, 2))).above(self.fuzzy)

    def _semantic(self, inputs: Inputs, corpus: Corpus, rows: I64) -> Edges:
        if self.semantic is None:
            return Edges(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
        return similar_pairs(read_vectors(inputs, corpus, rows), corpus.guards[rows], self.semantic, self.probes)


def _with_mates(corpus: Corpus, rows: I64) -> I64:
    """Those rows whose guard another of them shares: all others have no near-duplicate."""
    _, group, sizes = np.unique(corpus.guards[rows], return_inverse=True, return_counts=True)
    return rows[sizes[group] > 1]
