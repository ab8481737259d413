"""The living index: what dedup must know of every problem that it has decided about, so that it reads no shard again.

About 220 bytes a problem, one row each in the order of arrival, sealed with the decisions: tables `dedup_index_00000`
and so on, one for every run that added rows (PARTS at most), and `dedup_cells`. Places never change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.dedup.corpus import Columns
from tracemill.dedup.incremental import settled_before
from tracemill.dedup.minhash import BANDS
from tracemill.dedup.simhash import BITS_WORDS
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, Store, StoredFile
from tracemill.text.jit import F32

ROWS = "dedup_index_"
CELLS = "dedup_cells"
PARTS = 64  # files that a run reads; after that many they become one
# `target` is the place of the row that this one is dropped for (its own: it is kept).
ROW = pa.schema(
    [
        ("id", pa.binary(25)),
        ("key", pa.binary(32)),
        ("guard", pa.uint64()),
        ("embedder", pa.binary(16)),
        ("shard", pa.int32()),
        ("row", pa.int32()),
        ("priority", pa.int64()),
        ("bands", pa.binary(4 * BANDS)),
        ("bits", pa.binary(8 * BITS_WORDS)),
        ("target", pa.int64()),
        ("method", pa.int8()),
        ("similarity", pa.float32()),
        ("cell", pa.int32()),
    ]
)
CELL = pa.schema([("guard", pa.uint64()), ("cell", pa.int32()), ("centroid", pa.binary())])
_BYTES = {"id": "S25", "key": "S32", "embedder": "S16"}
_WIDE = {"bands": (np.uint32, BANDS), "bits": (np.uint64, BITS_WORDS)}


@dataclass(frozen=True)
class Index:
    """The columns of `dedup.corpus` by place, and of each row the decision: `target` is the place it is dropped for

    (its own: it is kept). `cell` is its k-means cell within its guard's large group, -1 elsewhere; `centroids` are
    those of the large groups, by guard. `carried`: what is stored already, by table name. `added`: the same columns of
    more rows at the end; they are kept apart, for the whole is large and copying it costs more than all they need.
    """

    columns: Columns
    centroids: dict[int, F32]
    carried: dict[str, StoredFile] = field(default_factory=dict)
    added: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["id"])

    def last_shard(self) -> int:
        """The highest shard number that it has rows of; -1 when it is empty."""
        return int(self.columns["shard"].max(initial=-1))

    def grown(self, columns: Columns) -> Index:
        """With more rows at the end."""
        return replace(self, carried=self.carried if len(self.carried) <= PARTS else {}, added=columns)

    def ids(self) -> pa.ChunkedArray:
        """The ids of all rows."""
        parts = (pa.array(part["id"], pa.string()) for part in (self.columns, self.added) if part)
        # Arrow makes one array of few ids and a chunked one of many.
        chunks = [part.chunks if isinstance(part, pa.ChunkedArray) else [part] for part in parts]
        return pa.chunked_array([chunk for some in chunks for chunk in some], pa.string())

    def tables(self) -> dict[str, pa.Table]:
        """What is to be sealed besides `carried`."""
        parts = [self.added] if self.carried else [part for part in (self.columns, self.added) if part]
        rows = [pa.table([_column(part[f.name], f.type) for f in ROW], schema=ROW) for part in parts]
        number = sum(name.startswith(ROWS) for name in self.carried)
        cells = {} if CELLS in self.carried else {CELLS: _cells(self.centroids)}
        return {f"{ROWS}{number:05d}": pa.concat_tables(rows), **cells}


def _cells(centroids: Mapping[int, F32]) -> pa.Table:
    flat = [
        (guard, cell, row.astype("<f4").tobytes()) for guard, own in centroids.items() for cell, row in enumerate(own)
    ]
    columns = list(zip(*flat, strict=True)) or [(), (), ()]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, CELL, strict=True)], schema=CELL)


def indexed(inputs: Inputs, digests: Mapping[int, str]) -> Index | None:
    """The living index, when shards were only added since it was made; None: all must be read again."""
    known = settled_before(inputs)
    grown = known and max(known) < min(digests.keys() - known.keys(), default=max(known) + 1)
    if not inputs.previous or not grown or any(digests.get(shard) != digest for shard, digest in known.items()):
        return None
    return read_index(inputs.store, inputs.previous)


def read_index(store: Store, manifest: Manifest) -> Index | None:
    """The index that was sealed with a cluster run; None when that was made by a tracemill without one."""
    carried = {name: stored for name, stored in manifest.tables.items() if name.startswith((ROWS, CELLS))}
    parts = [carried[name] for name in sorted(carried) if name.startswith(ROWS)]
    if not parts or CELLS not in carried:
        return None
    columns = _columns(store, parts)
    centroids: dict[int, list[bytes]] = {}
    for row in store.get_table(manifest.tables[CELLS]).to_pylist():
        centroids.setdefault(row["guard"], []).append(row["centroid"])
    found = {guard: np.frombuffer(b"".join(own), "<f4").reshape(len(own), -1) for guard, own in centroids.items()}
    return Index(columns, found, carried)


def _columns(store: Store, parts: Sequence[StoredFile]) -> Columns:
    """The rows of all parts, read piece by piece to their places: the whole is never held twice."""
    total = sum(part.rows or 0 for part in parts)
    place = 0
    columns: Columns = {field.name: _room(field, total) for field in ROW}
    for part in parts:
        for batch in store.get_batches(part):
            for name, values in columns.items():
                values[place : place + len(batch)] = _array(batch[name], name)
            place += len(batch)
    return columns


def _room(field: pa.Field, rows: int) -> NDArray[Any]:
    if field.name in _WIDE:
        kind, count = _WIDE[field.name]
        return np.empty((rows, count), kind)
    return np.empty(rows, _BYTES.get(field.name) or field.type.to_pandas_dtype())


def _column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_binary(kind):
        return pa.array(values, kind)
    data = np.ascontiguousarray(values)
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(data), [None, pa.py_buffer(data.tobytes())])


def _array(column: pa.Array, name: str) -> NDArray[Any]:
    if not pa.types.is_fixed_size_binary(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    width = column.type.byte_width
    data = column.buffers()[1][column.offset * width : (column.offset + len(column)) * width]
    if name in _BYTES:
        return np.frombuffer(data, _BYTES[name])
    kind, count = _WIDE[name]
    return np.frombuffer(data, kind).reshape(len(column), count)
