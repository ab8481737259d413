"""Reads and writes the parts of a sample store: Parquet files of answers with their keys, a row group at a time."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tracemill.engine.objects import ObjectStore, scratch_folder, store_io
from tracemill.models.request import Packed, Reply
from tracemill.models.sample_index import Heads, heads_of

SCHEMA = pa.schema(
    [
        ("key", pa.binary(32)),
        ("made", pa.float64()),
        ("text", pa.large_string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("seconds", pa.float64()),
        ("values", pa.list_(pa.float64())),
        ("served_model", pa.string()),
        ("token_ids", pa.large_binary()),
        ("ranks", pa.large_binary()),
        ("logprobs", pa.large_binary()),
        ("server", pa.string()),
        ("engine", pa.string()),
    ]
)
_GROUP = 128  # answers of a row group: what is read, and held, to get at one of them (4 MB of long traces)
_REST = [name for name in Reply.__dataclass_fields__ if name not in ("text", "values")]
Row = tuple[str, float, Packed]  # key, when it was made, answer


def table_of(replies: Mapping[str, Reply]) -> pa.Table:
    """Answers by key, made now."""
    made = time.time()
    rows = [
        {"key": bytes.fromhex(key), "made": made, **{f: getattr(reply, f) for f in Reply.__dataclass_fields__}}
        for key, reply in replies.items()
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def binary(keys: Collection[str]) -> pa.Array:
    """Keys as they are stored."""
    return pa.array([bytes.fromhex(key) for key in keys], pa.binary(32))


@contextmanager
def opened(store: ObjectStore, part: str) -> Iterator[pq.ParquetFile]:
    """A part to read. Raises FileNotFoundError when it is gone, StoreError when it cannot be read."""
    with store_io(f"cannot read {part}", absent=True), store.fs.open(store.path(part), "rb") as file:
        yield pq.ParquetFile(file)


def columns(store: ObjectStore, part: str, names: list[str]) -> pa.Table:
    """Some short columns of a part."""
    with opened(store, part) as file:
        return file.read(names)


def groups(store: ObjectStore, part: str) -> Iterator[pa.Table]:
    """A part's rows, a row group at a time."""
    with opened(store, part) as file:
        for group in range(file.num_row_groups):
            yield _complete(file.read_row_group(group))


def matches(store: ObjectStore, part: str, wanted: pa.Array) -> tuple[Heads, list[Row]]:
    """A part's keys, and its rows under the wanted ones: long texts are read only from row groups that have any."""
    rows: list[Row] = []
    with opened(store, part) as file:
        keys = file.read(["key"])["key"].cast(SCHEMA.field("key").type)
        mask = pc.is_in(keys, value_set=wanted)
        if pc.any(mask).as_py():
            start = 0
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                own = mask.slice(start, size)
                start += size
                if pc.any(own).as_py():
                    rows += _rows(_complete(file.read_row_group(group).filter(own)))
    return heads_of(keys), rows


def write(store: ObjectStore, key: str, tables: Iterable[pa.Table]) -> Heads:
    """Write a part whole or not at all; returns its keys. Raises StoreError, and what `tables` raises."""
    heads = [np.empty(0, np.uint64)]
    with scratch_folder(key) as folder:
        local = folder / "part.parquet"
        with _writer(local, key) as writer:
            for table in tables:
                heads.append(heads_of(table["key"]))
                with store_io(f"cannot write a scratch file for {key}"):
                    writer.write_table(table, row_group_size=_GROUP)
        store.put(local, key)
    return np.concatenate(heads)


@contextmanager
def _writer(local: Path, key: str) -> Iterator[pq.ParquetWriter]:
    with store_io(f"cannot write a scratch file for {key}"):
        writer = pq.ParquetWriter(
            local, SCHEMA, compression="zstd", use_dictionary=["finish_reason", "server", "engine"]
        )
    try:
        yield writer
    finally:
        with store_io(f"cannot write a scratch file for {key}"):
            writer.close()


def _complete(table: pa.Table) -> pa.Table:
    """The table with today's columns; those that an older tracemill did not write are null."""
    for field in SCHEMA:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(SCHEMA.names).cast(SCHEMA)


def _rows(table: pa.Table) -> Iterator[Row]:
    """The rows, with their texts as bytes (see Packed)."""
    place = table.schema.get_field_index("text")
    for row in table.set_column(place, "text", table["text"].cast(pa.large_binary())).to_pylist():
        rest = Reply(text="", values=tuple(row["values"] or ()), **{name: row[name] for name in _REST})
        yield row["key"].hex(), row["made"], Packed(row["text"], rest)
