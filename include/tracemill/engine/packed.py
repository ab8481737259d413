"""Rows of numbers as one binary column: a list column of the same numbers takes ten times as long to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.errors import CorruptShard, RecipeError

_MOST = 2**31 - 1  # bytes: the offsets of a binary column are of 32 bits


def packed(rows: NDArray[Any]) -> pa.BinaryArray:
    """One value a row of `rows` [n, width]: its little-endian bytes. Raises RecipeError beyond 2 GiB."""
    if rows.nbytes > _MOST:
        raise RecipeError(f"{len(rows):,} signatures are too many for one shard: lower `rows_per_shard`")
    data = np.ascontiguousarray(rows.astype(rows.dtype.newbyteorder("<"), copy=False))
    offsets = np.arange(len(data) + 1, dtype=np.int32) * (data.itemsize * data.shape[1])
    return pa.BinaryArray.from_buffers(pa.binary(), len(data), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def unpacked(column: pa.ChunkedArray, kind: type[np.generic]) -> NDArray[Any]:
    """The rows [n, width] of such a column; [0, 1] of an empty one. Raises CorruptShard for other columns."""
    if column.type != pa.binary():
        raise CorruptShard(f"rows of numbers are stored as {column.type}, by an older tracemill: run step sign again")
    dtype = np.dtype(kind).newbyteorder("<")
    parts = [_bytes(chunk) for chunk in column.chunks if len(chunk)]
    if not parts:
        return np.zeros((0, 1), kind)
    if len({part.shape[1] for part in parts}) > 1 or parts[0].shape[1] % dtype.itemsize:
        raise CorruptShard(f"rows of numbers are {sorted({p.shape[1] for p in parts})} bytes wide: run step sign again")
    whole: NDArray[Any] = (parts[0] if len(parts) == 1 else np.concatenate(parts)).view(dtype)
    return whole


def _bytes(chunk: pa.BinaryArray) -> NDArray[np.uint8]:
    _, offsets, data = chunk.buffers()
    bounds = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    if chunk.null_count or len(np.unique(np.diff(bounds))) > 1:
        raise CorruptShard("rows of numbers are not all equally wide: run step sign again")
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]].reshape(len(chunk), -1)
