"""Inputs of a step made from plain rows: write the columns that matter, the rest is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def inputs_of(folder: Path, *shards: Rows, index: int = 0) -> Inputs:
    """The inputs of a step on a store below `folder`, where one earlier step sealed these tables in each shard."""
    store = Store.at(str(folder / "store"), create=True)
    sealed = {k: [sealed_rows(store, k, tables)] for k, tables in enumerate(shards)}
    return Inputs(store, index, sealed, [], len(shards))


def sealed_rows(store: Store, index: int, tables: Rows, step: str = "before") -> Manifest:
    """The manifest of a shard that holds these rows."""
    stored = {
        name: store.put_table(pa.Table.from_pylist(list(rows), schema=columns_of(name)), step, index, name)
        for name, rows in tables.items()
    }
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    return Manifest(step=step, index=index, fingerprint="f" * 40, unit="row", counts=counts, tables=stored)
