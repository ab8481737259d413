"""What the step `phrases` keeps for a refresh, as tables, and how it is read again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, canonical_digest
from tracemill.engine.tables import columns_of
from tracemill.select.phrases.counting import Counted
from tracemill.select.phrases.sketch import BLOCK, Sketch
from tracemill.text.jit import U8


def kept_tables(counted: Counted, inputs: Inputs) -> dict[str, pa.Table]:
    """The tables `phrase_counts`, `phrase_shards` and `phrase_sketch`."""
    shards = sorted(counted.totals)
    of_shards = [shards, [shard_digest(inputs, k) for k in shards], [counted.totals[k] for k in shards]]
    blocks = [row for part, sketch in enumerate(counted.sketches) for row in _blocks(part, sketch)]
    order = [("shard", "ascending"), ("gram", "ascending")]
    return {
        "phrase_counts": counted.places.sort_by(order),
        "phrase_shards": pa.table(of_shards, schema=columns_of("phrase_shards")),
        "phrase_sketch": pa.Table.from_pylist(blocks, columns_of("phrase_sketch")),
    }


def counted_before(inputs: Inputs, settings: dict[str, object]) -> Counted | None:
    """What was counted by the same settings and still holds: each shard that was counted is there as it was.

    None when nothing was, or a shard has changed since: then there is nothing to go on from.
    """
    before = inputs.previous
    if before is None or before.settings != settings or not before.tables.keys() >= _TABLES:
        return None
    shards = inputs.store.get_table(before.tables["phrase_shards"]).to_pylist()
    if any(row["digest"] != shard_digest(inputs, row["shard"]) for row in shards):
        return None
    places = inputs.store.get_table(before.tables["phrase_counts"])
    return Counted(places, {row["shard"]: row["grams"] for row in shards}, tuple(_sketches(inputs, before)))


_TABLES = frozenset(("phrase_counts", "phrase_shards", "phrase_sketch"))


def shard_digest(inputs: Inputs, shard: int) -> str | None:
    """What a shard's living responses depend on, by its manifests: no row is read. None for one that is not there."""
    sealed = inputs.sealed.get(shard)
    if sealed is None:
        return None
    names = ("generations", "ledger")
    return canonical_digest({f"{m.step}/{n}": m.tables[n].sha256 for m in sealed for n in names if n in m.tables})


def _blocks(part: int, sketch: Sketch) -> Iterator[dict[str, object]]:
    for row, cells in enumerate(sketch.cells):
        for block, start in enumerate(range(0, sketch.size, BLOCK)):
            yield {"part": part, "row": row, "block": block, "cells": cells[start : start + BLOCK].tobytes()}


def _sketches(inputs: Inputs, before: Manifest) -> Iterator[Sketch]:
    """The stored sketches in the order of their parts, block by block."""
    rows: dict[tuple[int, int], list[U8]] = {}
    for batch in inputs.store.get_batches(before.tables["phrase_sketch"]):
        for place in range(batch.num_rows):
            (one,) = batch.slice(place, 1).to_pylist()
            rows.setdefault((one["part"], one["row"]), []).append(np.frombuffer(one["cells"], np.uint8))
    for part in range(len(rows) // 2):
        yield Sketch(np.stack([np.concatenate(rows[part, row]) for row in (0, 1)]))
