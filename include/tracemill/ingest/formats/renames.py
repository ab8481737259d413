"""Recognises the files of the last plan by what they hold, so that a renamed or moved file makes no shard anew."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tracemill.ingest.formats.parquet import run_digest
from tracemill.ingest.formats.unpacking import BLOCK, opened
from tracemill.ingest.source import Slice


def continued(
    files: Sequence[str], earlier: Iterable[Slice], content: Callable[[str], tuple[Path, str]]
) -> dict[str, str]:
    """Which file of today (its path) goes on which file of the last plan (the name it was first planned under).

    `content` gives a file's plain bytes and its digest; it is asked only for files that an earlier one may have become.
    A file goes on the one whose first slice it begins with; failing that, the one that had its path.
    """
    first: dict[str, Slice] = {}
    path_of: dict[str, str] = {}
    for part in sorted(earlier, key=lambda part: (part.stop > part.start, part.start)):
        path_of[part.file] = part.named  # what still has rows comes last, and so before what was emptied
        if part.stop > part.start:
            first.setdefault(part.named, part)
    found = {
        file: path_of[file]
        for file in files
        if file in path_of and _begin_with({path_of[file]: first.get(path_of[file])}, *content(file))
    }
    left = {name: part for name, part in first.items() if name not in found.values()}
    for file in files if left else ():
        if file not in found and (names := _begin_with(left, *content(file))):
            found[file] = names[0]
            del left[names[0]]
    for file in files:
        if file not in found and path_of.get(file, file) not in found.values() and file in path_of:
            found[file] = path_of[file]
    return found


def _begin_with(candidates: Mapping[str, Slice | None], path: Path, digest: str) -> list[str]:
    """The candidates whose first slice is the beginning of this file; what was the whole file comes first."""
    lengths: dict[int, set[int]] = defaultdict(set)
    for part in candidates.values():
        if part is not None and part.offset is not None:
            lengths[part.offset].add(part.length or 0)
    digests = {(offset, n): sha for offset, some in lengths.items() for n, sha in _digests(path, offset, some).items()}
    names = [
        name
        for name, part in candidates.items()
        if part is not None
        and part.sha256
        == (
            run_digest(digest, part.start, part.stop)
            if part.offset is None
            else digests.get((part.offset, part.length or 0))
        )
    ]
    return sorted(names, key=lambda name: (part := candidates[name]) is None or part.revision != digest)


def _digests(path: Path, offset: int, lengths: set[int]) -> dict[int, str]:
    """SHA-256 of the file's bytes from `offset` on, for each of these lengths that it has; read once."""
    found: dict[int, str] = {}
    digest = hashlib.sha256()
    done = 0
    with opened(path, str(path)) as stream:
        stream.seek(offset)
        for length in sorted(lengths):
            while done < length and (block := stream.read(min(length - done, BLOCK))):
                digest.update(block)
                done += len(block)
            if done == length:
                found[length] = digest.copy().hexdigest()
    return found
