"""Keeps on this machine what is dear to make again from a file: its digest, and its bytes unpacked. Safe to delete.

Folder `TRACEMILL_CACHE` (default: ~/.cache/tracemill); all processes of a machine share it:

    digests/DEVICE-INODE        size, times and SHA-256 of a file: the digest holds while size and times are the same
    unpacked/DIGEST.ENDING      a compressed or UTF-16 file as plain UTF-8, made once by one process
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from tracemill.engine.objects import store_io
from tracemill.engine.store import file_digest
from tracemill.errors import StoreError

# A file changed so shortly before it was hashed may change again within one tick of its file system's clock.
_SETTLED_NS = 50_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cache:
    """What is kept below one folder. An unwritable folder costs time, never an answer."""

    folder: Path

    def digest(self, path: Path) -> str:
        """SHA-256 of a file's bytes; a file whose inode, size and times did not change is not read again."""
        stamp = _stamp(path.stat())
        kept = self.folder / "digests" / stamp.split(" ", 1)[0]
        known = _read(kept).rpartition(" ")
        if known[0] == stamp:
            return known[2]
        digest = file_digest(path)
        after = path.stat()
        settled = time.time_ns() - max(after.st_mtime_ns, after.st_ctime_ns) > _SETTLED_NS
        if settled and _stamp(after) == stamp and self._writable:
            self._keep(kept, f"{stamp} {digest}")
        return digest

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file of that name, which `make` writes unless it is there; other processes wait for the one at work.

        Raises what `make` raises, and StoreError when the folder cannot be written.
        """
        target = self.folder / name
        if target.exists():
            return target
        if not self._writable:
            raise StoreError(f"{self.folder}: cannot be written; set TRACEMILL_CACHE to a folder with space and retry")
        with store_io(f"cannot write {target} (set TRACEMILL_CACHE to another folder)"):
            self._make(target, make)
        return target

    def _make(self, target: Path, make: Callable[[Path], None]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists():
                for left in target.parent.glob(f"{target.name}.*.part"):  # by a process that was killed
                    left.unlink()
                part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
                try:
                    make(part)
                    part.replace(target)
                finally:
                    part.unlink(missing_ok=True)

    def _keep(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
            part.write_text(text, "ascii")
            part.replace(path)
        except OSError as error:
            _log.warning("%s: a digest cannot be kept (%s): the file is hashed again next time", path, error)

    @cached_property
    def _writable(self) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log.warning("%s: cannot be made (%s): digests are not kept; set TRACEMILL_CACHE", self.folder, error)
            return False
        return os.access(self.folder, os.W_OK)


def _stamp(stat: os.stat_result) -> str:
    return f"{stat.st_dev:x}-{stat.st_ino:x} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""  # not kept yet, or damaged: the file is hashed again
