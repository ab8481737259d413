"""Turns away the problems of a shard that are not the representatives of their clusters."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Store, StoredFile
from tracemill.engine.tables import empty


class Unique(Step):
    """Rejects with `exact_duplicate` or `near_duplicate`.

    The detail is the kept problem's id (the same id when another shard's copy is kept), the score the similarity.
    """

    kind: Literal["unique"]
    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "duplicates", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("ledger",)

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Of the duplicates only this shard's: new shards elsewhere do not touch a sealed one."""
        own = hashlib.sha256(orjson.dumps(_own_duplicates(inputs).to_pydict())).hexdigest()
        return [d for d in inputs.digests(self.reads) if d[2] != "duplicates"] + [["", inputs.index, "duplicates", own]]

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Every living problem of the shard: kept, or rejected with the row it duplicates."""
        ids = inputs.alive("problem")
        duplicates = _own_duplicates(inputs)
        found = duplicates.take(pc.index_in(ids, value_set=duplicates["problem_id"]))
        dropped = pc.is_valid(found["problem_id"])
        exact = pc.equal(found["method"], "exact")
        reasons = pc.if_else(exact, "exact_duplicate", "near_duplicate")
        ledger = ledger_rows(
            "problem",
            ids.to_pylist(),
            pc.if_else(dropped, "rejected", "kept").to_pylist(),
            reasons.to_pylist(),
            found["similarity"].to_pylist(),
            found["threshold"].to_pylist(),
            found["duplicate_of"].to_pylist(),
        )
        return Output(ledger)


def _own_duplicates(inputs: Inputs) -> pa.Table:
    stored = [manifest.tables["duplicates"] for manifest in inputs.whole if "duplicates" in manifest.tables]
    parts = [_of_shard(_loaded(inputs.store, one), inputs.index) for one in stored]
    return pa.concat_tables([empty("duplicates"), *parts]).combine_chunks()


def _of_shard(duplicates: pa.Table, shard: int) -> pa.Table:
    """Its rows; the table is sorted by shard."""
    first, last = np.searchsorted(duplicates["shard"].to_numpy(), [shard, shard + 1])
    return duplicates.slice(first, last - first)


@lru_cache(maxsize=1)
def _loaded(store: Store, stored: StoredFile) -> pa.Table:
    """The duplicates of all shards, read once for all shards that a process works on."""
    return store.get_table(stored)
