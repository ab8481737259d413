"""Cuts a file of JSON values that are not one a line (one array, or objects printed over many lines) into slices.

Reads block by block: brackets, commas and quotes are found by NumPy, so memory is bounded by one value whatever the
file's size. An array is read to its end: a second one, or anything else after it, is an error and not left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from tracemill.errors import SourceError
from tracemill.ingest.formats.jsonlines import Cut, changed, next_goal, parsed
from tracemill.ingest.formats.unpacking import BLOCK, BOM, opened
from tracemill.ingest.source import RawRow, Slice

LONGEST = 64 << 20  # bytes of a value that are looked into when the file is planned
_BLANK = b" \t\r\n"
_MARKS = bytes(byte in b'"\\[]{},' for byte in range(256))
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1


@dataclass(frozen=True)
class Value:
    """One value: bytes `start` to `end` (exclusive) of the file; `data` holds them, cut after the longest wanted."""

    start: int
    end: int
    data: bytes


@dataclass
class _Run:
    """Values `start` to `stop` (exclusive), which become a slice when `stop` is `goal`: bytes `begin` to `end`."""

    start: int
    goal: int
    stop: int
    begin: int
    end: int

    def cut(self, stream: BinaryIO) -> Cut:
        """The slice."""
        length = self.end - self.begin
        return Cut(self.start, self.stop, self.begin, length, _digest(stream, self.begin, length))


@dataclass(frozen=True)
class JsonValues:
    """A layout (see layouts.Layout). `level` 1: the elements of one array; 0: objects one after the other."""

    level: int

    def cut_file(
        self, path: Path, shown: str, digest: str, rows: int, stops: Sequence[int], limit: int | None
    ) -> list[Cut]:
        """The slices. Raises SourceError with the place where the file is broken, cut off, or goes on after its end."""
        runs: list[_Run] = []
        with opened(path, shown) as stream:
            for number, value in enumerate(self._checked(stream, shown)):
                if limit is not None and number >= limit:
                    continue  # what follows is only proved to be whole
                if not runs or runs[-1].stop == runs[-1].goal:
                    runs.append(_Run(number, next_goal(number, rows, stops), number, value.start, value.end))
                runs[-1].stop = number + 1
                runs[-1].end = value.end
            return [run.cut(stream) for run in runs]

    def read_slice(self, path: Path, part: Slice, longest: int, digest: Callable[[], str]) -> Iterator[RawRow]:
        """The values of one slice, in order."""
        begin = part.offset or 0
        length = part.length or 0
        with opened(path, part.file) as stream:
            if _digest(stream, begin, length) != part.sha256:
                raise changed(part)
            stream.seek(begin)
            scan = _Scan(self.level, part.file, longest, depth=self.level, end=begin + length)
            for row, value in enumerate(scan.values(stream, begin), start=part.start):
                yield parsed(row, value.data, value.end - value.start, longest)

    def _checked(self, stream: BinaryIO, shown: str) -> Iterator[Value]:
        scan = _Scan(self.level, shown, LONGEST)
        for value in scan.values(stream, 0):
            if value.end - value.start <= LONGEST:
                _require_json(value, shown)
            yield value


@dataclass
class _Scan:
    """Finds where values begin and end. `end`: where to stop reading, None for the whole file."""

    level: int
    shown: str
    longest: int
    depth: int = 0
    end: int | None = None
    _quoted: bool = False  # the block before ended inside a string ...
    _escaping: bool = False  # ... and with a backslash that escapes what follows
    _held: bytearray = field(default_factory=bytearray)
    _start: int = 0
    _over: bool = False  # the array has ended

    def values(self, stream: BinaryIO, place: int) -> Iterator[Value]:
        """All values from `place` on, where the stream stands. Raises SourceError where the brackets do not fit."""
        part = self.end is not None
        while block := stream.read(BLOCK if self.end is None else min(BLOCK, self.end - place)):
            if place == 0:
                block = block.replace(BOM, b"   ", 1) if block.startswith(BOM) else block
            used = 0
            for at, opens in self._marks(block):
                if opens:  # the array's own bracket
                    used = self._opened(block, used, at, place)
                    continue
                self._take(block, used, at + (self.level == 0), place)
                used = at + 1
                closes = block[at : at + 1] != b","
                if value := self._value(place + at, closes):
                    yield value
                if closes and self.level:
                    self._close(block, at, place)
            self._take(block, used, len(block), place)
            place += len(block)
        if part and (value := self._value(place, True)):
            yield value
        if not part and (self._held or (self.level and not self._over)):
            raise self._broken(place, "it is cut off" if self.depth else "this is no JSON value")

    def _marks(self, block: bytes) -> Iterator[tuple[int, bool]]:
        """Where a value ends (a comma between elements, a bracket that closes the outermost), or the array begins."""
        # All that follows is about these few bytes alone. `translate` is many times faster than NumPy's look-up.
        places = np.flatnonzero(np.frombuffer(block.translate(_MARKS), np.bool_))
        marks = np.frombuffer(block, np.uint8)[places]
        free = ~self._in_strings(places, marks, len(block))
        steps = np.where(free, _STEP[marks], 0)
        depth = self.depth + np.cumsum(steps, dtype=np.int64)
        self.depth = int(depth[-1]) if len(depth) else self.depth
        ends = (steps < 0) & (depth <= 0)
        begins = (steps > 0) & (depth == 1) & bool(self.level)
        if self.level:
            ends |= (marks == ord(",")) & free & (depth == 1)
        for at in np.flatnonzero(ends | begins):
            yield int(places[at]), bool(begins[at])

    def _in_strings(self, places: NDArray[np.int64], marks: NDArray[np.uint8], size: int) -> NDArray[np.bool_]:
        """Which of the marks lie in strings (an opening quote does, the closing one does not)."""
        quotes = marks == ord('"')
        slashes = marks == ord("\\")
        if self._escaping or slashes.any():
            quotes &= ~self._escaped(places, slashes, size)
        inside: NDArray[np.bool_] = (np.cumsum(quotes) + self._quoted) % 2 == 1
        self._quoted = bool(inside[-1]) if len(inside) else self._quoted
        return inside

    def _escaped(self, places: NDArray[np.int64], slashes: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
        """Which of the marks come right after an odd number of backslashes."""
        number = np.arange(len(places))
        follows = np.diff(places, prepend=-2) == 1
        goes_on = follows & slashes & np.roll(slashes, 1)
        first = np.maximum.accumulate(np.where(goes_on, 0, number))  # where each run of backslashes began
        run = np.where(slashes, number - first + 1, 0)
        if self._escaping:  # the run goes on from the block before
            run += slashes & (places[first] == 0)
        escaped: NDArray[np.bool_] = follows & (np.roll(run, 1) % 2 == 1)
        if len(places) and places[0] == 0:
            escaped[0] = self._escaping
        self._escaping = bool(len(places) and places[-1] == size - 1 and run[-1] % 2)
        return escaped

    def _opened(self, block: bytes, used: int, at: int, place: int) -> int:
        self._take(block, used, at, place)
        if self._held or self._over or block[at : at + 1] != b"[":
            raise self._broken(self._start if self._held else place + at, self._stray())
        return at + 1

    def _close(self, block: bytes, at: int, place: int) -> None:
        if self._over or block[at : at + 1] != b"]":
            raise self._broken(place + at, self._stray())
        self._over = True

    def _stray(self) -> str:
        return "something follows the array: a file holds one" if self._over else "this bracket fits no other one"

    def _take(self, block: bytes, begin: int, end: int, place: int) -> None:
        piece = block[begin:end]
        if not self._held:
            stripped = piece.lstrip(_BLANK)
            self._start = place + end - len(stripped)
            piece = stripped
        if piece and self.level and self._over:
            raise self._broken(place + begin, self._stray())
        self._held += piece[: max(0, self.longest + 1 - len(self._held))] if self.longest else piece

    def _value(self, end: int, last: bool) -> Value | None:
        """The value that ends here; None after the last comma of an array."""
        data = bytes(self._held).rstrip(_BLANK)
        self._held.clear()
        if not data and not last:
            raise self._broken(end, "there is no value before this comma")
        whole = len(data) <= self.longest
        return Value(self._start, self._start + len(data) if whole else end, data) if data else None

    def _broken(self, place: int, why: str) -> SourceError:
        what = "JSON array" if self.level else "JSON"
        return SourceError(f"{self.shown}: the {what} is broken at byte {place:,} ({why}); fetch the file again")


def _digest(stream: BinaryIO, begin: int, length: int) -> str:
    stream.seek(begin)
    digest = hashlib.sha256()
    while length > 0 and (block := stream.read(min(length, BLOCK))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()


def _require_json(value: Value, shown: str) -> None:
    """Refuse what is no JSON at all: nothing after it can be trusted. Odd numbers and texts are a row's fault."""
    try:
        orjson.loads(value.data)
    except orjson.JSONDecodeError:
        try:
            _LENIENT.decode(value.data.decode("utf-8", "replace"))
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{shown}: the JSON is broken at byte {value.start + error.pos:,} ({error.msg}); fetch the file again"
            ) from error
        except RecursionError:
            return  # nested too deep for us: the row is quarantined when it is read


_LENIENT = json.JSONDecoder(strict=False, parse_int=len, parse_float=len)
