"""Objects below one root (any fsspec URL): written whole or not at all; not-found and unreadable are different facts.

Not-found is FileNotFoundError and means "not done yet". Every other failure of a storage driver is a StoreError.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from tracemill.errors import StoreError, TracemillError

_T = TypeVar("_T")
CHUNK = 1 << 20  # bytes
_MODIFIED = ("mtime", "LastModified", "last_modified", "modified", "created")  # as drivers call it
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def store_io(what: str, *, absent: bool = False) -> Iterator[None]:
    """The one boundary where any failure of a storage driver becomes a StoreError.

    With `absent`, not-found passes through as FileNotFoundError: only where it means that an object is not there.
    """
    try:
        yield
    except TracemillError:
        raise
    except FileNotFoundError as error:
        if absent:
            raise
        raise StoreError(f"{what}: {error} (does the place exist? check it and retry)") from error
    except OSError as error:
        remedy = "the disk is full: free space and retry" if error.errno == errno.ENOSPC else "check access and retry"
        raise StoreError(f"{what}: {error} ({remedy})") from error
    except Exception as error:  # drivers (botocore, aiohttp, ...) share no base class
        raise StoreError(f"{what}: {type(error).__name__}: {error} (check the connection and retry)") from error


@contextmanager
def scratch_folder(what: str, within: Path | None = None) -> Iterator[Path]:
    """A private folder on this machine (below TMPDIR, or `within`), gone afterwards. Raises StoreError without one."""
    with store_io(f"cannot make a scratch folder for {what}"):
        folder = tempfile.TemporaryDirectory(prefix="tracemill-", dir=within)
    with folder:
        yield Path(folder.name)


class Listed(NamedTuple):
    """An object of a store: its key, size in bytes, and when it was written (seconds of the epoch)."""

    key: str
    bytes: int
    modified: float


def _listed(root: str, path: str, facts: dict[str, Any]) -> Listed:
    key = path.lstrip("/").removeprefix(root.lstrip("/")).lstrip("/")
    moment = next((facts[name] for name in _MODIFIED if facts.get(name) is not None), time.time())
    return Listed(key, int(facts["size"]), moment.timestamp() if isinstance(moment, datetime) else float(moment))


class WatchedHandle(io.RawIOBase):
    """A readable handle that remembers the failure of its driver, which Arrow would report as a damaged file."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.failure: BaseException | None = None
        super().__init__()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self.raw.tell())

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._noting(self.raw.read, size)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        place: int = self._noting(self.raw.seek, offset, whence)
        return place

    def close(self) -> None:
        self.raw.close()
        super().close()

    def _noting(self, act: Callable[..., _T], *arguments: int) -> _T:
        try:
            return act(*arguments)
        except BaseException as error:
            self.failure = error
            raise


class ObjectStore:
    """Objects by key below `root`; keys are relative, never absolute and never out of the root."""

    def __init__(self, fs: fsspec.AbstractFileSystem, root: str) -> None:
        self.fs = fs
        self.root = root.rstrip("/")

    @property
    def on_disk(self) -> bool:
        """Whether the objects are files of this machine."""
        return isinstance(self.fs, LocalFileSystem)

    def path(self, key: str) -> str:
        """The driver's path of a key. Raises StoreError for a key that would leave the root."""
        if key.startswith("/") or ".." in PurePosixPath(key).parts:
            raise StoreError(f"key {key!r} would leave the store")
        return f"{self.root}/{key}"

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes. Raises FileNotFoundError when it is not there, StoreError when it cannot be read."""
        with store_io(f"cannot read {self.root}/{key}", absent=True):
            data: bytes = self.fs.cat_file(self.path(key))
            return data

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a chunk at a time. Raises FileNotFoundError when it is not there, or StoreError."""
        with store_io(f"cannot read {self.root}/{key}", absent=True), self.fs.open(self.path(key), "rb") as handle:
            while chunk := handle.read(CHUNK):
                yield chunk

    def write_bytes(self, key: str, data: bytes) -> None:
        """Write the object whole or not at all; an older one is replaced."""
        with _as_file(key, data) as local:
            self.put(local, key)

    def create_bytes(self, key: str, data: bytes) -> bool:
        """Write the object only if there is none: true for exactly one of several writers at once (local disk, S3)."""
        with _as_file(key, data) as local, store_io(f"cannot write {self.root}/{key}"):
            try:
                if self.on_disk:
                    self._put_local(local, self.path(key), _link)
                else:
                    self.fs.put_file(str(local), self.path(key), mode="create")
            except OSError as error:
                if not _is_taken(error):
                    raise
                return False
            return True

    def put(self, local: Path, key: str) -> None:
        """Copy a local file to `key`; readers see the old object or the whole new one, never a part."""
        with store_io(f"cannot write {self.root}/{key}"):
            if self.on_disk:
                self._put_local(local, self.path(key), Path.replace)
            else:
                self.fs.put_file(str(local), self.path(key))

    def size(self, key: str) -> int | None:
        """The object's size in bytes; None when it is genuinely not there."""
        with store_io(f"cannot look at {self.root}/{key}", absent=True):
            try:
                return int(self.fs.info(self.path(key))["size"])
            except FileNotFoundError:
                return None

    def is_fresh(self, key: str, size: int, seconds: float) -> bool:
        """Whether the object is there in that size, and was written within so many seconds."""
        with store_io(f"cannot look at {self.root}/{key}", absent=True):
            try:
                seen = _listed("", key, self.fs.info(self.path(key)))
            except FileNotFoundError:
                return False
        return seen.bytes == size and time.time() - seen.modified < seconds

    def listed(self) -> list[Listed]:
        """All objects below the root, by key; half-written ones too."""
        with store_io(f"cannot list {self.root}"):
            self.fs.invalidate_cache()
            found = self.fs.find(self.root, detail=True)
        return sorted(_listed(self.root, str(path), facts) for path, facts in found.items())

    def names(self, folder: str = "") -> set[str]:
        """The names directly below the root, or a folder of it; empty when there is none yet."""
        place = self.path(folder) if folder else self.root
        with store_io(f"cannot list {place}", absent=True):
            try:
                return {PurePosixPath(str(path)).name for path in self.fs.ls(place, detail=False)} - {""}
            except FileNotFoundError:
                return set()

    def _put_local(self, local: Path, target: str, commit: Callable[[Path, Path], object]) -> None:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        part = Path(f"{target}.{uuid.uuid4().hex}.part")
        try:
            self.fs.put_file(str(local), str(part))
            _flush(part)
            commit(part, Path(target))
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _as_file(key: str, data: bytes) -> Iterator[Path]:
    with scratch_folder(key) as folder:
        local = folder / "object"
        with store_io(f"cannot write a scratch file for {key}"):
            local.write_bytes(data)
        yield local


def _is_taken(error: OSError) -> bool:
    """Whether a write that may replace nothing was refused because the object is there.

    S3 answers it with 412. The driver takes that for FileExistsError where the answer also names the condition, as AWS
    does; SeaweedFS, MinIO and Versity do not (versity/versitygw#2044), and no other condition was sent.
    """
    answer = getattr(error.__cause__, "response", None) or {}
    return isinstance(error, FileExistsError) or answer.get("Error", {}).get("Code") in ("PreconditionFailed", "412")


def _flush(path: Path) -> None:
    """Put a file's bytes on the disk itself: a manifest must not outlive the data it names when the power fails."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _link(part: Path, target: Path) -> None:
    """Give the file its name unless the name is taken; file systems without hard links look first, then rename."""
    try:
        target.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from error
        part.replace(target)
