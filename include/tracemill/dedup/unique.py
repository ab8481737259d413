"""Turns away the problems of a shard that are not the representatives of their clusters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.ids import Unit
from tracemill.engine.sieve import Sieve
from tracemill.engine.step import Inputs
from tracemill.engine.store import Store, StoredFile
from tracemill.engine.tables import empty


class Unique(Sieve):
    """Rejects with `exact_duplicate` or `near_duplicate`.

    The detail is the kept problem's id (the same id when another shard's copy is kept), the score the similarity.
    """

    kind: Literal["unique"]
    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "duplicates", "ledger")

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Of the duplicates only this shard's: new shards elsewhere do not touch a sealed one."""
        own = hashlib.sha256(orjson.dumps(_own_duplicates(inputs).to_pydict())).hexdigest()
        return [d for d in inputs.digests(self.reads) if d[2] != "duplicates"] + [["", inputs.index, "duplicates", own]]

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """Every living problem of the shard, with the row it duplicates."""
        duplicates = _own_duplicates(inputs)
        found = duplicates.take(pc.index_in(alive, value_set=duplicates["problem_id"]))
        yield pa.table(
            {
                "id": alive,
                "reason": pc.if_else(pc.equal(found["method"], "exact"), "exact_duplicate", "near_duplicate"),
                "score": found["similarity"],
                "threshold": found["threshold"],
                "detail": found["duplicate_of"],
            }
        )


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
