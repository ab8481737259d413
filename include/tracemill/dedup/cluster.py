"""Decides over all shards which problems say the same and which one of them represents the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from tracemill.dedup.corpus import Columns, Corpus, arranged, read_columns
from tracemill.dedup.deciding import Deciding, Decision, Rules
from tracemill.dedup.incremental import METHODS, NOTHING, Decided, decided, settled_table, shard_digests
from tracemill.dedup.index import Index, indexed
from tracemill.dedup.load import read_vectors
from tracemill.dedup.neighbours import grown_corpus
from tracemill.dedup.semantic import Half
from tracemill.dedup.sign import SHINGLE
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, kept_rows
from tracemill.engine.tables import columns_of
from tracemill.text.jit import I64

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class Found:
    """What a run decided: tables `duplicates` and `held_back`, and the index with these decisions."""

    duplicates: pa.Table
    held_back: pa.Table
    index: Index


class Cluster(Step):
    """Writes `duplicates`: every row that is dropped, the kept row it duplicates, how that was seen, and how similar.
    `probes`: cells of the index that are searched for each row.

    exact: the same id or the same text as tokenised. fuzzy: word 3-grams with Jaccard >= `fuzzy`. semantic: cosine >=
    `semantic`, by default what the embedder is calibrated to. The last two only where quantities agree
    (tracemill.dedup.agreement_key) and the referee finds one problem (tracemill.dedup.referee); rows whose answers
    differ are two problems in any tier. Null turns a tier off. The paper (2503.19633) names no thresholds;
    docs/design/dedup.md says how these were chosen. A store that has grown is not decided anew: see
    tracemill.dedup.incremental.
    """

    kind: Literal["cluster"]
    fuzzy: Share | None = 0.7
    semantic: Share | Literal["calibrated"] | None = "calibrated"
    probes: Annotated[int, Field(ge=1)] = 8
    version: ClassVar[int] = 5
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "labels", "signatures", "spaces", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("duplicates", "settled", "held_back", "ledger")

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """The duplicates of all shards, sorted by shard and id."""
        rules = self._rules(resources, inputs)
        thresholds = {"semantic": rules.semantic, "across": rules.across}
        digests = shard_digests(inputs, {"version": self.version, **self.settings(inputs), **thresholds})
        known = decided(inputs, digests)
        before = indexed(inputs, digests)
        found = (
            self._from_scratch(inputs, known, rules) if before is None else self._grown(inputs, before, digests, rules)
        )
        tables = {
            "duplicates": pa.concat_tables([known.duplicates, found.duplicates])
            if before is not None
            else found.duplicates,
            "settled": settled_table(digests),
            "held_back": pa.concat_tables([known.held_back, found.held_back]),
            **found.index.tables(),
        }
        return Output(kept_rows("problem", found.index.ids()), tables, found.index.carried)

    def _rules(self, resources: Resources, inputs: Inputs) -> Rules:
        """The settings, with the thresholds of the space that the shards were signed in."""
        newest = max(inputs.shards(), default=0)  # the others are in the same space, or read_columns refuses them
        spaces = inputs.table("spaces", shard=newest).to_pylist()
        own = spaces[0] if spaces else {"semantic": None, "across": None}
        semantic = own["semantic"] if self.semantic == "calibrated" else self.semantic
        return Rules(self.fuzzy, semantic, own["across"], self.probes, SHINGLE, resources.workers)

    def _from_scratch(self, inputs: Inputs, known: Decided, rules: Rules) -> Found:
        """Read all shards; what was decided about unchanged ones stays."""
        columns = read_columns(inputs, inputs.shards(), known)
        corpus = arranged(columns)
        decision = Deciding(inputs, corpus, rules).decision()
        made = Index(_decisions(columns, corpus, decision), decision.cells.centroids)
        made.columns["cell"][corpus.places] = decision.cells.cell
        return Found(_duplicates(corpus, decision, rules, known), _held_back(corpus, decision), made)

    def _grown(self, inputs: Inputs, before: Index, digests: Mapping[int, str], rules: Rules) -> Found:
        """Read the new shards, and of the old ones what the index says; the index grows."""
        shards = [shard for shard in digests if shard > before.last_shard()]
        new = read_columns(inputs, shards)
        own = arranged(new)
        place = np.argsort(own.places)  # where each new row stands among the ranked ones

        def vectors(rows: I64) -> Half:
            return read_vectors(inputs, own, place[rows])

        corpus, cell = grown_corpus(before, new, vectors, rules)
        decision = Deciding(inputs, corpus, rules).decision()
        added = _decisions(new, corpus, decision, len(before))
        added["cell"] = cell
        duplicates = _duplicates(corpus, decision, rules, NOTHING, corpus.fixed)
        return Found(duplicates, _held_back(corpus, decision), before.grown(added))


def _duplicates(corpus: Corpus, decision: Decision, rules: Rules, known: Decided, start: int = 0) -> pa.Table:
    """The rows dropped from `start` on, sorted by shard and id; what `known` says of their words stays."""
    dropped = np.flatnonzero(decision.target != np.arange(len(corpus)))
    dropped = dropped[dropped >= start]
    dropped = dropped[np.lexsort([corpus.ids[dropped], corpus.shards[dropped]])]
    target = decision.target[dropped]
    method = decision.method[dropped]
    columns = [
        *_named(corpus, dropped),
        *_named(corpus, target),
        np.array(METHODS)[method],
        decision.similarity[dropped],
        np.array([1.0, rules.fuzzy or 0, rules.semantic or 0], np.float32)[method],
        [decision.words.get(row) for row in dropped.tolist()],
    ]
    made = _table("duplicates", columns)
    return made if not len(known.duplicates) else _with_words(made, known.duplicates)


def _with_words(made: pa.Table, known: pa.Table) -> pa.Table:
    names = ["problem_id", "shard"]
    told = pl.DataFrame(known.select([*names, "differing"])).rename({"differing": "told"})
    joined = pl.DataFrame(made).join(told, on=names, how="left", maintain_order="left")
    words = joined.select(pl.coalesce("differing", "told")).to_series().to_arrow()
    return made.set_column(made.schema.get_field_index("differing"), "differing", words.cast(made["differing"].type))


def _decisions(columns: Columns, corpus: Corpus, decision: Decision, first: int = 0) -> Columns:
    """The columns with what was decided about the rows that stand at `first` and later in the index."""
    own = corpus.places >= first
    place = corpus.places[own] - first
    decided: Columns = {name: np.empty(len(place), kind) for name, kind in _DECIDED.items()}
    decided["target"][place] = corpus.places[decision.target[own]]
    decided["method"][place] = decision.method[own]
    decided["similarity"][place] = decision.similarity[own]
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
