"""Which files a recipe's path names: one file, a folder with all below it, or wildcards in any part (`**` too)."""

from __future__ import annotations

import glob
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.formats.unpacking import FORMATS

_ROWS = (".jsonl", ".ndjson", ".json", ".parquet")
_PACKED = ("", ".gz", ".zst", ".bz2", ".xz")
_SUFFIXES = tuple(rows + packed for rows in _ROWS for packed in _PACKED)
_BESIDE = (".md", ".txt", ".yaml", ".yml", ".py", ".lock", ".gitattributes", ".crc")  # what lies beside rows
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DataFile:
    """One file of a source: its name in plans, how to have it on this machine, its commit where it has one."""

    shown: str
    have: Callable[[], Path]
    commit: str | None = None


def local_files(path: str, resources: Resources) -> list[DataFile]:
    """The files by the name they have in plans and provenance: the recipe's text, so the same on every machine.

    Raises SourceError when nothing matches.
    """
    whole = resources.path(path)
    if whole.is_dir():
        return _below(path, whole)
    parts = path.split("/")
    first = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    if first == len(parts) or whole.exists():
        return [_local(path, whole)]
    folder = "/".join(parts[:first])
    root, pattern = _pattern(folder, "/".join(parts[first:]), resources)
    matches = glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - no hidden files, names as written
    found = sorted(name for name in matches if (root / name).is_file())
    if not found:
        raise SourceError(f"no file matches {path} ({whole}); check the path in the recipe")
    return [_local(f"{folder}/{name}" if first else name, root / name) for name in found]


def _pattern(folder: str, wildcards: str, resources: Resources) -> tuple[Path, str]:
    """Where to look, and for what. Only the recipe's own text has wildcards; a variable's value is taken as it is."""
    root = resources.path(folder) if folder else resources.base
    values = {name: glob.escape(value) for name, value in resources.environment.items()}
    pattern = str(replace(resources, environment=values, base=Path()).path(wildcards))
    return (Path("/") if Path(pattern).is_absolute() else root), pattern.lstrip("/")


def _below(path: str, folder: Path) -> list[DataFile]:
    inside = [(file.relative_to(folder), file) for file in sorted(folder.rglob("*")) if file.is_file()]
    visible = [(name, file) for name, file in inside if not any(part[0] in "._" for part in name.parts)]
    rows = [(name, file) for name, file in visible if file.name.lower().endswith(_SUFFIXES)]
    others = [str(name) for name, file in visible if not file.name.lower().endswith((*_SUFFIXES, *_BESIDE))]
    if not rows:
        there = f"it holds {', '.join(others[:3])}" if others else "it is empty"
        raise SourceError(f"{path}: no file below the folder {folder} is {FORMATS} ({there}); check the path")
    if others:
        _log.warning("%s: %d files are not read (such as %s): not %s", path, len(others), others[0], FORMATS)
    return [_local(f"{path.rstrip('/')}/{name.as_posix()}", file) for name, file in rows]


def _local(shown: str, path: Path) -> DataFile:
    return DataFile(shown, lambda: path)
