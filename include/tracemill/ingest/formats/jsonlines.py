"""Cuts JSON Lines files into slices of bytes and reads one slice back, with memory bounded by one line.

A slice is known by the SHA-256 of its bytes, so appending to a file leaves every earlier slice as it was. Offsets count
bytes of plain UTF-8, whatever the file is packed in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tracemill.errors import SourceError
from tracemill.ingest.exact_json import decoded, whole
from tracemill.ingest.formats.unpacking import BLOCK, BOM, opened
from tracemill.ingest.source import RawRow, RowError, Slice

SHOWN = 64 * 1024  # bytes of a bad line that are kept for the quarantine
_KEY = re.compile(rb'"\s*:')


@dataclass(frozen=True)
class Cut:
    """Rows `start` to `stop` (exclusive) of a file: `length` bytes from `offset`, where the format has them."""

    start: int
    stop: int
    offset: int | None
    length: int | None
    sha256: str


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
        self.rows = rows
        self.stops = stops
        self.limit = limit
        self.cuts: list[Cut] = []
        self.line = 0  # lines seen whole; the last byte seen
        self.last = b"\n"
        self._begin(0, 0)

    def _begin(self, start: int, offset: int) -> None:
        self.start = start
        self.offset = offset
        self.length = 0
        self.digest = hashlib.sha256()
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
            used = end
            self.line = self.goal
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
    cutter = _Cutter(rows, stops, limit)
    whole = hashlib.sha256()
    while block := stream.read(BLOCK):
        whole.update(block)
        cutter.feed(block)
    return cutter.finish(), whole.hexdigest()


def cut_file(path: Path, shown: str, digest: str, rows: int, stops: Sequence[int], limit: int | None) -> list[Cut]:
    """The slices of a file of lines."""
    with opened(path, shown) as stream:
        return cut_lines(stream, rows, stops, limit)[0]


def read_slice(path: Path, part: Slice, longest: int, digest: Callable[[], str]) -> Iterator[RawRow]:
    """The lines of one slice as rows."""
    with opened(path, part.file) as stream:
        for row, line, size in read_lines(stream, part, max(longest, SHOWN)):
            yield parsed(row, line, size, longest)


def read_lines(stream: BinaryIO, part: Slice, longest: int) -> Iterator[tuple[int, bytes, int]]:
    """Number, bytes (cut after `longest` + 1) and true size of each line of a slice.

    Raises SourceError at the end when the slice's content is not what was planned.
    """
    stream.seek(part.offset or 0)
    left = part.length or 0
    digest = hashlib.sha256()
    row = part.start
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


def parsed(row: int, line: bytes, size: int, longest: int) -> RawRow:
    """One line as a JSON object, or the reason why it is none. Never raises for what the line holds."""
    text = line[:SHOWN].decode("utf-8", "replace").rstrip("\r\n")
    if size > longest:
        problem = RowError("row_too_long", f"{size} bytes; a row may have {longest} (setting longest_row)")
        return RawRow(row=row, text=text, error=problem)
    try:
        value = decoded(line.removeprefix(BOM))
    except json.JSONDecodeError as error:
        return RawRow(row=row, text=text, error=_unparsable(line, error))
    if not isinstance(value, dict):
        return RawRow(
            row=row, text=text, error=RowError("not_an_object", f"a JSON {type(value).__name__}, not an object")
        )
    key = _said_twice(line, value)
    if key is not None:
        return RawRow(row=row, text=text, error=RowError("duplicate_key", f"key {key!r} has two values"))
    return RawRow(row=row, text=text, value=value)


def _said_twice(line: bytes, value: Any) -> str | None:
    """A key that one object of the line gives two values; None when there is none. Parsers keep the last, unseen."""
    if len(_KEY.findall(line)) <= _keys(value):
        return None  # no more `"key":` than keys
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        twice.extend(key for key, item in pairs if len(found) < len(pairs) and found[key] != item)
        return found

    json.loads(line, object_pairs_hook=once, parse_int=whole)
    return twice[0] if twice else None


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys(item) for item in value.values() if isinstance(item, dict | list))
    return sum(_keys(item) for item in value if isinstance(item, dict | list)) if isinstance(value, list) else 0


def _unparsable(line: bytes, error: json.JSONDecodeError) -> RowError:
    if not line.strip():
        return RowError("blank_line", "an empty line")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        return RowError("bad_utf8", f"not UTF-8 at byte {undecodable.start}: {undecodable.reason}")
    return RowError("malformed_json", str(error))
