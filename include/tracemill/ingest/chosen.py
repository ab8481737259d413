"""Chooses the rows of a trial: those whose hash comes first among all rows of all sources.

The hash is of the row's name (source, file, row), so the rows of a small trial are among those of a larger one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.engine.tables import columns_of
from tracemill.ingest.source import Slice

TABLE = "chosen"
_CHUNK = 1 << 20  # rows hashed at once


def chosen_rows(slices: Sequence[Slice], count: int) -> list[NDArray[np.int64]]:
    """The chosen rows of each slice, in order: at most `count` in all. A few bytes a row are held, for `count` rows."""
    hashes = np.empty(0, np.uint64)
    owners = np.empty(0, np.int64)
    rows = np.empty(0, np.int64)
    for number, part in enumerate(slices):
        for start in range(part.start, part.stop, _CHUNK):
            fresh = np.arange(start, min(start + _CHUNK, part.stop), dtype=np.int64)
            hashes = np.concatenate([hashes, row_hashes(part, fresh)])
            owners = np.concatenate([owners, np.full(len(fresh), number)])
            rows = np.concatenate([rows, fresh])
            first = np.lexsort((rows, owners, hashes))[:count]
            hashes = hashes[first]
            owners = owners[first]
            rows = rows[first]
    return [np.sort(rows[owners == number]) for number in range(len(slices))]


def row_hashes(part: Slice, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 bits for each row: splitmix64 (Steele et al. 2014, Fast Splittable Pseudorandom Number Generators)."""
    name = hashlib.sha256(f"{part.source}\n{part.named}".encode()).digest()
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(int.from_bytes(name[:8], "big"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return found


def chosen_table(rows: Sequence[NDArray[np.int64]]) -> pa.Table:
    """The table `chosen`: by shard the rows of its slice that the trial takes."""
    index = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    every = np.concatenate([np.empty(0, np.int64), *rows])
    schema = columns_of(TABLE)
    return pa.table([pa.array(index, schema[0].type), pa.array(every, schema[1].type)], schema=schema)
