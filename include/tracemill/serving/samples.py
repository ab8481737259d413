"""The sample store: whatever a model once answered is kept under what it was asked, and never paid for again.

    MODEL-DIGEST/NEAR-UUID.parquet       a part: answers with their keys

Parts are written while a shard runs and joined into one when it is done. `near` names the shard that asked, so that a
retry finds its own answers first; every other shard, run and recipe on the same store finds them too. Two writers at
once are fine: parts are only ever added under new names, and removed only after a part that holds all of their rows was
written. When one key was paid twice, all readers take the answer that was made first.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tracemill.objects import ObjectStore, scratch_folder, store_io
from tracemill.serving.asks import Reply
from tracemill.serving.keys import keys_below, remove

_SCHEMA = pa.schema(
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
    ]
)
_READERS = 8  # parts read at once: a look over thousands of parts waits for the network, not for the processor
_LOOKS = 5  # how often a part may vanish (joined by another writer) before something else must be wrong


class SampleStore:
    """The answers of one model (`identity`: which weights) below a root that runs and recipes may share."""

    def __init__(self, store: ObjectStore, identity: str) -> None:
        self.store = store
        self.folder = hashlib.sha256(identity.encode()).hexdigest()[:20]

    def find(self, keys: Collection[str], near: str) -> dict[str, Reply]:
        """The answers there are among `keys`. Raises StoreError when the store cannot be read."""
        for _ in range(_LOOKS):
            try:
                return self._look(keys, near)
            except FileNotFoundError:
                continue  # a part was joined into another between listing and reading: list again
        return self._look(keys, near)

    def add(self, replies: Mapping[str, Reply], near: str) -> str:
        """Write one part; once this returns, the answers survive anything. Returns the part's key."""
        made = time.time()
        rows = [_row(key, made, reply) for key, reply in replies.items()]
        return self._write(pa.Table.from_pylist(rows, _SCHEMA), near)

    def join(self, near: str) -> None:
        """Make one part of all that one shard has left behind, whoever wrote them."""
        parts = [part for part in self._parts() if part.startswith(f"{self.folder}/{near}-")]
        if len(parts) < 2:
            return
        try:
            tables = [self._read(part) for part in parts]
        except FileNotFoundError:
            return  # another writer is joining them just now
        self._write(_first_made(pa.concat_tables(tables)), near)
        for part in parts:
            remove(self.store, part)

    def _parts(self) -> list[str]:
        return [key for key in keys_below(self.store, self.folder) if key.endswith(".parquet")]

    def _look(self, keys: Collection[str], near: str) -> dict[str, Reply]:
        wanted = pa.array([bytes.fromhex(key) for key in keys], pa.binary(32))
        own: list[str] = []
        others: list[str] = []
        for part in self._parts():
            (own if part.startswith(f"{self.folder}/{near}-") else others).append(part)
        found = self._matches(own, wanted)
        missing = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found["key"].combine_chunks())))
        if len(missing):
            found = pa.concat_tables([found, self._matches(others, missing)])
        return {row["key"].hex(): _reply(row) for row in _first_made(found).to_pylist()}

    def _matches(self, parts: Iterable[str], wanted: pa.Array) -> pa.Table:
        with ThreadPoolExecutor(_READERS) as readers:
            tables = list(readers.map(lambda part: self._read(part, wanted), parts))
        return pa.concat_tables([_SCHEMA.empty_table(), *tables])

    def _read(self, part: str, wanted: pa.Array | None = None) -> pa.Table:
        """A part's rows, or those under the wanted keys: the long texts are read only where there are any."""
        with store_io(f"cannot read {part}", absent=True), self.store.fs.open(self.store.path(part), "rb") as file:
            parquet = pq.ParquetFile(file)
            if wanted is not None:
                hits = pc.is_in(parquet.read(["key"])["key"], value_set=wanted)
                if not pc.any(hits).as_py():
                    return _SCHEMA.empty_table()
                return _complete(parquet.read().filter(hits))
            return _complete(parquet.read())

    def _write(self, table: pa.Table, near: str) -> str:
        key = f"{self.folder}/{near}-{uuid.uuid4().hex}.parquet"
        with scratch_folder(key) as folder:
            local = folder / "part.parquet"
            with store_io(f"cannot write a scratch file for {key}"):
                pq.write_table(table, local, compression="zstd", use_dictionary=["finish_reason"])
            self.store.put(local, key)
        return key


def _complete(table: pa.Table) -> pa.Table:
    """The table with today's columns; those that an older tracemill did not write are null."""
    for field in _SCHEMA:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(_SCHEMA.names).cast(_SCHEMA)


def _row(key: str, made: float, reply: Reply) -> dict[str, Any]:
    return {"key": bytes.fromhex(key), "made": made, **{f: getattr(reply, f) for f in Reply.__dataclass_fields__}}


def _reply(row: dict[str, Any]) -> Reply:
    fields = {name: row[name] for name in Reply.__dataclass_fields__ if name != "values"}
    return Reply(**fields, values=tuple(row["values"] or ()))


def _first_made(table: pa.Table) -> pa.Table:
    """One row a key: the one that was made first (of equal times the first text), whatever the order of parts."""
    ordered = table.take(pc.sort_indices(table, [("key", "ascending"), ("made", "ascending"), ("text", "ascending")]))
    keys = ordered["key"].combine_chunks()
    if len(keys) < 2:
        return ordered
    fresh = pc.not_equal(keys.slice(1), keys.slice(0, len(keys) - 1))
    return ordered.filter(pa.concat_arrays([pa.array([True]), fresh]))
