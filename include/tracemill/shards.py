"""The shard store: a shard exists exactly when its manifest does, and a manifest is written last.

Layout below the root (any fsspec URL; see docs/design/store.md):

    tracemill-store.json                            marks the root, so that an unmounted disk is not an empty store
    STEP/00007.json                                 the current manifest of shard 7: the commit point
    STEP/00007/FINGERPRINT.json                     the same manifest, kept so that old settings cost nothing again
    STEP/00007/TABLE-DIGEST.parquet                 the data; the name carries its content's digest

Two copies of one task may write at once: data keys are content, so neither can damage the other, and manifests are
replaced atomically.
"""

from __future__ import annotations

import errno
import hashlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.errors import CorruptShard, StoreError
from tracemill.records import SCHEMAS

MARKER = "tracemill-store.json"
ROW_GROUP = 1000  # rows: about 30 MB of traces, see docs/design/store.md
_DICTIONARY = ("source", "category", "license", "teacher", "style", "finish_reason", "unit", "bucket", "reason", "language")


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
    """The proof that a shard is done: what it was made from, what it holds, and where every row went."""

    model_config = ConfigDict(frozen=True)
    step: str
    index: int
    fingerprint: str
    unit: str
    counts: Counts
    tables: dict[str, StoredFile]
    files: dict[str, StoredFile] = {}
    settings: dict[str, Any] = {}
    seconds: float = 0.0


@contextmanager
def _store_io(what: str) -> Iterator[None]:
    """The one boundary where any failure of a storage driver becomes a StoreError; not-found passes through."""
    try:
        yield
    except (FileNotFoundError, StoreError, CorruptShard):
        raise
    except OSError as error:
        remedy = "the disk is full: free space and retry" if error.errno == errno.ENOSPC else "check access and retry"
        raise StoreError(f"{what}: {error} ({remedy})") from error
    except Exception as error:  # noqa: BLE001 - drivers (botocore, aiohttp, ...) share no base class
        raise StoreError(f"{what}: {type(error).__name__}: {error} (check the connection and retry)") from error


class Store:
    """Sealed shards below one root. Not-found means not done yet; everything else that fails raises StoreError."""

    def __init__(self, fs: fsspec.AbstractFileSystem, root: str) -> None:
        self.fs, self.root = fs, root.rstrip("/")

    @classmethod
    def at(cls, url: str, *, create: bool = False, **storage_options: Any) -> Store:
        """Open the store at a path or fsspec URL. Raises StoreError if there is none and `create` is false."""
        with _store_io(f"cannot open the store {url}"):
            fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False, **storage_options)
        return cls(fs, root).opened(create=create)

    def opened(self, *, create: bool) -> Store:
        """Check the root's marker, or write it when `create`; an unmarked root is refused, never taken for empty."""
        try:
            self.read_bytes(MARKER)
        except FileNotFoundError:
            if not create:
                raise StoreError(
                    f"{self.root} holds no tracemill store ({MARKER} is missing): "
                    "check --root, or make one with `tracemill run`"
                ) from None
            self.write_bytes(MARKER, json.dumps({"format": 1}).encode())
        return self

    def _path(self, key: str) -> str:
        parts = PurePosixPath(key).parts
        if key.startswith("/") or ".." in parts:
            raise StoreError(f"key {key!r} would leave the store")
        return f"{self.root}/{key}"

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes. Raises FileNotFoundError when it is not there, StoreError when it cannot be read."""
        with _store_io(f"cannot read {self.root}/{key}"):
            data: bytes = self.fs.cat_file(self._path(key))
            return data

    def write_bytes(self, key: str, data: bytes) -> None:
        """Write the object whole or not at all."""
        with tempfile.NamedTemporaryFile() as scratch:
            scratch.write(data)
            scratch.flush()
            self.put(Path(scratch.name), key)

    def put(self, local: Path, key: str) -> None:
        """Copy a local file to `key`; readers see the old object or the whole new one, never a part."""
        target = self._path(key)
        with _store_io(f"cannot write {self.root}/{key}"):
            if not isinstance(self.fs, LocalFileSystem):
                self.fs.put_file(str(local), target)
                return
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            part = f"{target}.{uuid.uuid4().hex}.part"
            try:
                self.fs.put_file(str(local), part)
                Path(part).replace(target)
            finally:
                Path(part).unlink(missing_ok=True)

    def put_content(self, local: Path, prefix: str, suffix: str) -> StoredFile:
        """Store a file under a name that carries its SHA-256; what is already there is not written again."""
        digest = file_digest(local)
        key, size = f"{prefix}-{digest[:20]}{suffix}", local.stat().st_size
        with _store_io(f"cannot look at {self.root}/{key}"):
            present = self.fs.exists(self._path(key)) and self.fs.size(self._path(key)) == size
        if not present:
            self.put(local, key)
        return StoredFile(key=key, sha256=digest, bytes=size)

    def put_table(self, table: pa.Table, step: str, index: int, name: str) -> StoredFile:
        """Store one table of a shard as Parquet; the same rows give the same bytes and the same key."""
        checked = conform(table, name)
        dictionary = [column for column in checked.column_names if column in _DICTIONARY]
        with tempfile.TemporaryDirectory() as scratch:
            local = Path(scratch) / "table.parquet"
            with _store_io(f"cannot write a scratch file for {step}/{name}"):
                pq.write_table(checked, local, compression="zstd", row_group_size=ROW_GROUP, use_dictionary=dictionary)
            stored = self.put_content(local, f"{step}/{index:05d}/{name}", ".parquet")
        return stored.model_copy(update={"rows": checked.num_rows})

    def get_table(self, stored: StoredFile, columns: list[str] | None = None) -> pa.Table:
        """Read a sealed table, whole or some columns. Raises CorruptShard when it is gone or damaged."""
        where = f"{self.root}/{stored.key}"
        try:
            with _store_io(f"cannot read {where}"), self.fs.open(self._path(stored.key), "rb") as handle:
                return pq.read_table(handle, columns=columns)
        except FileNotFoundError as error:
            raise CorruptShard(f"{where} is named by a manifest but is missing: delete that manifest and rerun") from error
        except StoreError as error:
            if isinstance(error.__cause__, pa.ArrowInvalid | pa.ArrowIOError) and not isinstance(error.__cause__, FileNotFoundError):
                raise CorruptShard(f"{where} is not readable as Parquet: delete its manifest and rerun") from error
            raise

    def manifest(self, step: str, index: int) -> Manifest | None:
        """The current manifest of a shard, or None when the shard is genuinely not there yet."""
        return self._manifest(f"{step}/{index:05d}.json")

    def sealed_as(self, step: str, index: int, fingerprint: str) -> Manifest | None:
        """The manifest that this shard has, or once had, under that fingerprint; switches back to it if it is not current."""
        current = self.manifest(step, index)
        if current is not None and current.fingerprint == fingerprint:
            return current
        earlier = self._manifest(f"{step}/{index:05d}/{fingerprint}.json")
        if earlier is not None:
            self.write_bytes(f"{step}/{index:05d}.json", _encoded(earlier))
        return earlier

    def seal(self, manifest: Manifest) -> Manifest:
        """Commit a shard: from now on it exists."""
        data = _encoded(manifest)
        self.write_bytes(f"{manifest.step}/{manifest.index:05d}/{manifest.fingerprint}.json", data)
        self.write_bytes(f"{manifest.step}/{manifest.index:05d}.json", data)
        return manifest

    def _manifest(self, key: str) -> Manifest | None:
        try:
            return Manifest.model_validate_json(self.read_bytes(key))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise CorruptShard(f"{self.root}/{key} is not a manifest: delete it and rerun ({error})") from error


def conform(table: pa.Table, name: str) -> pa.Table:
    """The table in the documented columns and types of `name`. Raises CorruptShard when a step wrote something else."""
    schema = SCHEMAS.get(name)
    if schema is None:
        return table
    try:
        return table.select(schema.names).cast(schema).replace_schema_metadata(None)
    except (KeyError, pa.ArrowInvalid) as error:
        raise CorruptShard(f"table {name!r} does not have its documented columns: {error}") from error


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
