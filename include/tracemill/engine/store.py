"""The shard store: a shard exists exactly when its manifest does, and a manifest is written last.

Layout below the root (any fsspec URL; see docs/design/store.md):

    tracemill-store.json                            marks the root, so that an unmounted disk is not an empty store
    recipe.json                                     the recipe that the last run used, for the reports
    STEP/00007.json                                 the current manifest of shard 7: the commit point
    STEP/00007/FINGERPRINT.json                     the same manifest, kept so that old settings cost nothing again
    STEP/00007/TABLE-DIGEST.parquet                 the data; the name carries its content's digest

Two copies of one task may write at once: data keys are content, so neither can damage the other, the first manifest
under a fingerprint wins, and manifests are replaced atomically.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.connections import place_of
from tracemill.engine.objects import ObjectStore, WatchedHandle, scratch_folder, store_io
from tracemill.engine.tables import table_named
from tracemill.errors import CorruptShard, StoreError

MARKER = "tracemill-store.json"
FORMAT = 2  # of the store; 2: ids keep letter case, white space and turns, rows are named by file and place
ROW_GROUP = 1000  # rows: about 30 MB of traces, see docs/design/store.md
_LEAN_GROUP = 50_000  # rows of the tables below, of a few hundred bytes each at most: every group takes a millisecond
_LARGE = 16 << 20  # bytes: below that a table is read before threads have even been woken, at half the CPU time
FRESH = 43_200.0  # seconds in which a task seals what it found in the store and did not write again
_READERS = 16  # manifests asked for at once


class StoredFile(BaseModel):
    """One file of a sealed shard: its key below the root, SHA-256 and size; `rows` for tables."""

    model_config = ConfigDict(frozen=True)
    key: str
    sha256: str
    bytes: int
    rows: int | None = None


class Counts(BaseModel):
    """How many rows entered a step and in which bucket each of them left it."""

    model_config = ConfigDict(frozen=True)
    entered: int
    kept: int
    rejected: dict[str, int]
    quarantined: dict[str, int]


class Manifest(BaseModel):
    """The proof that a shard is done: what it was made from, what it holds, and where every row went.

    `made_with` are facts about the world that made it (engine, weights, isolation) and what it cost: in no identity.
    """

    model_config = ConfigDict(frozen=True)
    step: str
    index: int
    fingerprint: str
    unit: str
    counts: Counts
    tables: dict[str, StoredFile]
    files: dict[str, StoredFile] = {}
    settings: dict[str, Any] = {}
    made_with: dict[str, Any] = {}
    seconds: float = 0.0


class Store(ObjectStore):
    """Sealed shards below one root. Not-found means not done yet; everything else that fails raises StoreError."""

    @classmethod
    def at(cls, url: str, *, create: bool = False, old: bool = False, **storage_options: Any) -> Store:
        """Open the store at a path or fsspec URL. Raises StoreError if there is none and `create` is false.

        `s3://CONNECTION@bucket/prefix` is opened with AIRFLOW_CONN_CONNECTION of the environment (see connections.py).
        `old`: a store of an older format is opened too, to be migrated.
        """
        with store_io(f"cannot open the store {url}"):
            place, options = place_of(url, os.environ)
            fs, root = fsspec.core.url_to_fs(place, use_listings_cache=False, **options, **storage_options)
        return cls(fs, root).opened(create=create, old=old)

    def opened(self, *, create: bool, old: bool = False) -> Store:
        """Check the root's marker, or write it when `create`; an unmarked root is refused, never taken for empty.

        Raises StoreError for a store of another format, too, unless it is an older one and `old` says that this is
        known.
        """
        try:
            self._require_format(self.format(), old)
        except FileNotFoundError:
            if not create:
                raise StoreError(
                    f"{self.root} holds no tracemill store ({MARKER} is missing): "
                    "check --root, or make one with `tracemill run`"
                ) from None
            self._require_vacant()
            self.mark()
        return self

    def format(self) -> int:
        """The format that the marker names. Raises FileNotFoundError without one, StoreError for a damaged one."""
        data = self.read_bytes(MARKER)
        try:
            found = json.loads(data)["format"]
        except (ValueError, TypeError, KeyError):
            found = None
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise StoreError(
                f'{self.root}/{MARKER} is damaged: it should be {{"format": {FORMAT}}} for a store that this tracemill '
                "made; restore it, or give another --root"
            )
        return found

    def mark(self) -> None:
        """Write the marker of today's format."""
        self.write_bytes(MARKER, json.dumps({"format": FORMAT}).encode())

    def _require_format(self, found: int, old: bool) -> None:
        if found > FORMAT:
            raise StoreError(
                f"{self.root} is of format {found} and this tracemill knows {FORMAT}: update tracemill, or give "
                "another --root"
            )
        if found < FORMAT and not old:
            place = self.root if self.on_disk else self.fs.unstrip_protocol(self.root)
            raise StoreError(
                f"{self.root} is of format {found} and this tracemill writes {FORMAT}: run `tracemill migrate "
                f"{shlex.quote(place)}`, which keeps versions, revocations and paid answers"
            )

    def _require_vacant(self) -> None:
        """Refuse to make a store among other files. A copy of this task may be making it: its files carry MARKER."""
        names = self.names()
        if names and not any(name.startswith(MARKER) for name in names):
            raise StoreError(
                f"{self.root} holds other files (such as {min(names)}) but no tracemill store: "
                "give an empty or a new folder as --root"
            )

    def put_content(self, local: Path, prefix: str, suffix: str) -> StoredFile:
        """Store a file under a name that carries its SHA-256; what is already there is not written again.

        What has been there for long is: `tracemill prune` must see that somebody is about to name it.
        """
        digest = file_digest(local)
        key = f"{prefix}-{digest[:20]}{suffix}"
        size = local.stat().st_size
        if not self.is_fresh(key, size, FRESH):
            self.put(local, key)
        return StoredFile(key=key, sha256=digest, bytes=size)

    def put_table(self, table: pa.Table, step: str, index: int, name: str) -> StoredFile:
        """Store one table of a shard as Parquet; the same rows give the same bytes and the same key."""
        known = table_named(name)
        checked = known.conform(table)
        dictionary = [column for column in checked.column_names if column in known.dictionary]
        with scratch_folder(f"{step}/{name}") as folder:
            local = folder / "table.parquet"
            with store_io(f"cannot write a scratch file for {step}/{name}"):
                pq.write_table(
                    checked,
                    local,
                    compression="none" if known.hashes else "zstd",
                    write_statistics=not known.hashes,
                    row_group_size=_LEAN_GROUP if known.lean else ROW_GROUP,
                    use_dictionary=dictionary,
                    write_page_checksum=True,
                )
            stored = self.put_content(local, f"{step}/{index:05d}/{name}", ".parquet")
        return stored.model_copy(update={"rows": checked.num_rows})

    def get_table(self, stored: StoredFile, columns: list[str] | None = None) -> pa.Table:
        """Read a sealed table, whole or some columns. Raises CorruptShard when it is gone or damaged."""
        with self._parquet(stored) as file:
            return file.read(columns=columns, use_threads=stored.bytes > _LARGE)

    def get_batches(self, stored: StoredFile, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read a sealed table row group by row group: long texts need not fit into memory at once."""
        with self._parquet(stored) as file:
            for group in range(file.num_row_groups):
                read = file.read_row_group(group, columns=columns, use_threads=stored.bytes > _LARGE)
                yield from read.to_batches()

    def get_rows(self, stored: StoredFile, rows: NDArray[np.int64], columns: list[str]) -> pa.Table:
        """Read some rows of a sealed table by their places, in the order given; only their row groups are read."""
        with self._parquet(stored) as file:
            size = file.metadata.row_group(0).num_rows if file.num_row_groups else 1
            groups = np.unique(rows // size)
            read = file.read_row_groups(groups.tolist(), columns=columns, use_threads=stored.bytes > _LARGE)
        return read.take(np.searchsorted(groups, rows // size) * size + rows % size)

    @contextmanager
    def _parquet(self, stored: StoredFile) -> Iterator[pq.ParquetFile]:
        """Open a sealed table. Reading it raises StoreError when the driver failed, CorruptShard when Parquet did."""
        where = f"{self.root}/{stored.key}"
        with store_io(f"cannot read {where}"):
            try:
                raw = self.fs.open(self.path(stored.key), "rb")
            except FileNotFoundError as error:
                raise CorruptShard(f"{where} is named by a manifest but is missing: {_mend(where)}") from error
            with WatchedHandle(raw) as handle:
                try:
                    yield pq.ParquetFile(handle, page_checksum_verification=True, pre_buffer=not self.on_disk)
                except (pa.ArrowException, OSError) as error:
                    if handle.failure is not None:
                        raise handle.failure from error
                    raise CorruptShard(f"{where} is damaged ({error}): {_mend(where)}") from error

    def manifest(self, step: str, index: int) -> Manifest | None:
        """The current manifest of a shard, or None when the shard is genuinely not there yet."""
        return self._manifest(f"{step}/{index:05d}.json")

    def manifests(self, shards: Iterable[tuple[str, int]]) -> list[Manifest | None]:
        """The current manifests of many (step, index), in that order; several are read at a time over a network."""
        wanted = list(shards)
        if len(wanted) < 2 or self.on_disk:
            return [self.manifest(step, index) for step, index in wanted]
        with ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(lambda shard: self.manifest(*shard), wanted))

    def sealed_as(self, step: str, index: int, fingerprint: str) -> Manifest | None:
        """The manifest that this shard has, or once had, under that fingerprint; makes it the current one."""
        current = self.manifest(step, index)
        if current is not None and current.fingerprint == fingerprint:
            return current
        earlier = self._manifest(f"{step}/{index:05d}/{fingerprint}.json")
        if earlier is not None:
            self.write_bytes(f"{step}/{index:05d}.json", _encoded(earlier))
        return earlier

    def sealed_earlier(self, step: str, index: int, fingerprint: str) -> Manifest | None:
        """The manifest that this shard once had under that fingerprint, whatever the current one is."""
        return self._manifest(f"{step}/{index:05d}/{fingerprint}.json")

    def seal(self, manifest: Manifest) -> Manifest:
        """Commit a shard: from now on it exists. Returns what is sealed: of two copies at once, the first one's."""
        key = f"{manifest.step}/{manifest.index:05d}/{manifest.fingerprint}.json"
        sealed: Manifest | None = manifest
        if not self.create_bytes(key, _encoded(manifest)):
            sealed = self._manifest(key)
        if sealed is None:
            raise StoreError(f"{self.root}/{key} was removed while it was being sealed: run again")
        self.write_bytes(f"{manifest.step}/{manifest.index:05d}.json", _encoded(sealed))
        return sealed

    def _manifest(self, key: str) -> Manifest | None:
        try:
            return Manifest.model_validate_json(self.read_bytes(key))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise CorruptShard(f"{self.root}/{key} is not a manifest: delete it and rerun ({error})") from error


def file_digest(path: Path) -> str:
    """SHA-256 of a local file, in hex, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def canonical_digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON-like value with sorted keys: equal settings give equal digests on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _encoded(manifest: Manifest) -> bytes:
    return manifest.model_dump_json(indent=1).encode()


def _mend(where: str) -> str:
    folder = where.rsplit("/", 1)[0]
    return f"delete {folder} and {folder}.json, and run again"
