"""Cuts JSON Lines files into slices of bytes and reads one slice back, with memory bounded by one line.

A slice is known by the SHA-256 of its bytes, so appending to a file leaves every earlier slice as it was. Offsets count
decompressed bytes; in a `.zst` file what lies before a slice is decompressed and skipped, never parsed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import orjson
import zstandard

from tracemill.errors import SourceError
from tracemill.sources.base import RawRow, RowError, Slice

BLOCK = 1 << 20  # bytes read at once
SHOWN = 64 * 1024  # bytes of a bad line that are kept for the quarantine
BOM = b"\xef\xbb\xbf"
_COUNTED = 4000  # digits of an integer that Python turns into a number and back


@dataclass(frozen=True)
class Cut:
    """Rows `start` to `stop` (exclusive) of a file: `length` bytes from `offset`, where the format has them."""

    start: int
    stop: int
    offset: int | None
    length: int | None
    sha256: str


@contextmanager
def opened(path: Path, shown: str) -> Iterator[BinaryIO]:
    """The file's decompressed bytes. Raises SourceError, naming the file as the recipe does, when there is none."""
    try:
        with path.open("rb") as handle:
            if path.suffix == ".zst":
                reader = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True)
                yield io.BufferedReader(cast(io.RawIOBase, reader), BLOCK)
            else:
                yield handle
    except (FileNotFoundError, IsADirectoryError) as error:
        raise SourceError(f"{shown}: there is no such file ({path}); check the path in the recipe") from error
    except PermissionError as error:
        raise SourceError(f"{shown}: may not be read ({path}); check the file's permissions") from error
    except zstandard.ZstdError as error:
        raise SourceError(f"{shown}: is not whole zstd data ({error}); fetch the file again") from error


def content_digest(path: Path, shown: str) -> str:
    """SHA-256 of the file's decompressed bytes; a file whose time and size did not change is not read again."""
    with opened(path, shown):
        stat = path.stat()
    return _digest(path, shown, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=4096)
def _digest(path: Path, shown: str, changed_ns: int, size: int, inode: int) -> str:
    digest = hashlib.sha256()
    with opened(path, shown) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def next_goal(start: int, rows: int, stops: Sequence[int]) -> int:
    """Where a slice that begins at `start` should end: where it ended before, else after `rows` rows."""
    return next((stop for stop in stops if stop > start), start + rows)


def changed(part: Slice) -> SourceError:
    """What to raise when a slice's content is not what was planned."""
    return SourceError(
        f"{part.file}: rows {part.start} to {part.stop} are no longer what was planned; run `plan` again"
    )


class _Cutter:
    """Takes a file block by block and closes a cut whenever the next goal (a line number) is reached."""

    def __init__(self, rows: int, stops: Sequence[int], limit: int | None) -> None:
        self.rows, self.stops, self.limit = rows, stops, limit
        self.cuts: list[Cut] = []
        self.line, self.last = 0, b"\n"  # lines seen whole; the last byte seen
        self._begin(0, 0)

    def _begin(self, start: int, offset: int) -> None:
        self.start, self.offset, self.length, self.digest = start, offset, 0, hashlib.sha256()
        goal = next_goal(start, self.rows, self.stops)
        self.goal = goal if self.limit is None else min(goal, self.limit)

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self.goal <= self.start

    def _add(self, data: bytes) -> None:
        self.digest.update(data)
        self.length += len(data)

    def _close(self, stop: int) -> None:
        self.cuts.append(Cut(self.start, stop, self.offset, self.length, self.digest.hexdigest()))
        self._begin(stop, self.offset + self.length)

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the file."""
        if self.full:
            return
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
        used = taken = 0
        while not self.full and self.goal - self.line <= len(ends) - taken:
            taken += self.goal - self.line
            end = int(ends[taken - 1])
            self._add(block[used:end])
            used, self.line = end, self.goal
            self._close(self.goal)
        if not self.full:
            self._add(block[used:])
            self.line += len(ends) - taken
            self.last = block[-1:]

    def finish(self) -> list[Cut]:
        """All cuts; a last line without newline counts."""
        if self.length and not self.full:
            self._close(self.line + (self.last != b"\n"))
        return self.cuts


def cut_lines(
    stream: BinaryIO, rows: int, stops: Sequence[int] = (), limit: int | None = None
) -> tuple[list[Cut], str]:
    """Cut a file after each line number in `stops` (ascending), then every `rows` lines, up to `limit` lines in all.

    Returns the cuts and the SHA-256 of the whole file.
    """
    cutter, whole = _Cutter(rows, stops, limit), hashlib.sha256()
    while block := stream.read(BLOCK):
        whole.update(block)
        cutter.feed(block)
    return cutter.finish(), whole.hexdigest()


def cut_file(path: Path, shown: str, rows: int, stops: Sequence[int], limit: int | None) -> tuple[list[Cut], str]:
    """The slices of a file of lines, and its SHA-256."""
    with opened(path, shown) as stream:
        return cut_lines(stream, rows, stops, limit)


def read_slice(path: Path, part: Slice, longest: int) -> Iterator[RawRow]:
    """The lines of one slice as rows."""
    with opened(path, part.file) as stream:
        for row, line, size in read_lines(stream, part, max(longest, SHOWN)):
            yield parsed(row, line, size, longest)


def read_lines(stream: BinaryIO, part: Slice, longest: int) -> Iterator[tuple[int, bytes, int]]:
    """Number, bytes (cut after `longest` + 1) and true size of each line of a slice.

    Raises SourceError at the end when the slice's content is not what was planned.
    """
    _skip(stream, part.offset or 0)
    left, digest, row = part.length or 0, hashlib.sha256(), part.start
    while left > 0 and (line := stream.readline(min(left, longest + 1))):
        size = len(line)
        digest.update(line)
        while not line.endswith(b"\n") and size < left and (more := stream.readline(min(left - size, BLOCK))):
            digest.update(more)
            size += len(more)
            if more.endswith(b"\n"):
                break
        left -= size
        yield row, line, size
        row += 1
    if digest.hexdigest() != part.sha256 or row != part.stop:
        raise changed(part)


def _skip(stream: BinaryIO, offset: int) -> None:
    if stream.seekable():
        stream.seek(offset)
        return
    while offset > 0 and (block := stream.read(min(offset, BLOCK))):
        offset -= len(block)


def parsed(row: int, line: bytes, size: int, longest: int) -> RawRow:
    """One line as a JSON object, or the reason why it is none. Never raises for what the line holds."""
    text = line[:SHOWN].decode("utf-8", "replace").rstrip("\r\n")
    if size > longest:
        problem = RowError("row_too_long", f"{size} bytes; a row may have {longest} (setting longest_row)")
        return RawRow(row=row, text=text, error=problem)
    try:
        value = decoded(line.removeprefix(BOM) if row == 0 else line)
    except json.JSONDecodeError as error:
        return RawRow(row=row, text=text, error=_unparsable(line, error))
    if not isinstance(value, dict):
        return RawRow(
            row=row, text=text, error=RowError("not_an_object", f"a JSON {type(value).__name__}, not an object")
        )
    return RawRow(row=row, text=text, value=value)


def decoded(line: bytes) -> Any:
    """The JSON value, integers exact at any size (orjson alone rounds those beyond 64 bits to floats).

    Raises json.JSONDecodeError. An integer of more digits than Python counts with comes as its text.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if "infinity" not in str(error):
            raise
        return _exact(line)
    return _exact(line) if _may_be_rounded(value) else value


def _exact(line: bytes) -> Any:
    try:
        return json.loads(line, parse_int=_whole)
    except RecursionError as error:
        raise json.JSONDecodeError("nested too deeply", "", 0) from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _COUNTED else digits


def _may_be_rounded(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_may_be_rounded(item) for item in value.values())
    if isinstance(value, list):
        return any(_may_be_rounded(item) for item in value)
    return isinstance(value, float) and abs(value) >= 2.0**63


def _unparsable(line: bytes, error: json.JSONDecodeError) -> RowError:
    if not line.strip():
        return RowError("blank_line", "an empty line")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        return RowError("bad_utf8", f"not UTF-8 at byte {undecodable.start}: {undecodable.reason}")
    return RowError("malformed_json", str(error))
