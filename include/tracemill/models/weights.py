"""Knows which weights a model folder holds, by content: hashed once, and the digest kept on the store.

    weights/NAME/STAT.json        the digest of a folder whose files have these names, sizes, inodes and times
    weights/NAME/current.json     the digest that was found last: for clients, which need no weights at all

Size and time never say which weights these are; they only say whether the digest that was once made still holds. So a
folder of 700 GB costs a look at its files, and one byte changed in a file of equal size is another identity. Files of
the Hub's cache are links to blobs named by their SHA-256: those need not be read.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tracemill.engine.objects import ObjectStore

_NOT_WEIGHTS = {".md", ".lock", ".log", ".py"}
_BLOB = re.compile(r"[0-9a-f]{64}")
_HASHED_FROM = 1 << 30  # bytes from which it is said that hashing goes on
_log = logging.getLogger(__name__)


def folder_identity(store: ObjectStore, name: str, folder: Path) -> str:
    """The digest of a folder's content, from the store if it was made before and the files are still the same."""
    kept = kept_digest(store, name, folder)
    if kept is None:
        kept = folder_digest(folder)
        keep(store, name, folder, kept)
    return kept


def kept_digest(store: ObjectStore, name: str, folder: Path) -> str | None:
    """The digest that was made of these very files, if one was."""
    return _kept(store, f"weights/{name}/{_state(folder)}.json")


def keep(store: ObjectStore, name: str, folder: Path, digest: str) -> None:
    """Keep a digest for as long as the files stay what they are, and for clients that have none."""
    record = json.dumps({"digest": digest}).encode()
    store.write_bytes(f"weights/{name}/{_state(folder)}.json", record)
    store.write_bytes(f"weights/{name}/current.json", record)


def known_identity(store: ObjectStore, name: str) -> str | None:
    """The digest that somebody who has the weights found last; None before anybody did."""
    return _kept(store, f"weights/{name}/current.json")


def _kept(store: ObjectStore, key: str) -> str | None:
    try:
        digest = json.loads(store.read_bytes(key))["digest"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return digest if isinstance(digest, str) else None


def weight_files(folder: Path) -> Sequence[Path]:
    """The files that decide what a model says; notes and code do not count."""
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix not in _NOT_WEIGHTS and p.name[0] != ".")


def _state(folder: Path) -> str:
    """A digest of what the file system says of the files: whether an older look at their content still holds."""
    lines = []
    for path in weight_files(folder):
        seen = path.stat()
        lines.append(f"{path.name} {seen.st_size} {seen.st_ino} {seen.st_mtime_ns} {seen.st_ctime_ns}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:24]


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of a model folder's files, in hex."""
    lines = [f"{_digest(path)} {path.name}\n" for path in weight_files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    seen = path.stat()
    return _file_digest(path, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)


@functools.lru_cache(maxsize=1024)
def _file_digest(path: Path, _inode: int, _modified: int, _changed: int, size: int) -> str:
    target = Path(os.path.realpath(path))
    if path.is_symlink() and _BLOB.fullmatch(target.name):
        return target.name
    if size >= _HASHED_FROM:
        _log.info("hashing %s (%.1f GiB), once for this store", path, size / 2**30)
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
