"""Cuts a file that is one JSON array into slices of whole elements, and reads one slice back without the others.

Planning reads the whole file (one byte of memory a byte); reading a slice reads that slice alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tracemill.errors import SourceError
from tracemill.sources.base import RawRow, Slice
from tracemill.sources.jsonlines import BOM, Cut, changed, next_goal, opened, parsed

_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


def is_array(path: Path, shown: str) -> bool:
    """Whether the file's first character opens an array."""
    with opened(path, shown) as stream:
        return stream.read(64).removeprefix(BOM).lstrip()[:1] == b"["


def cut_file(path: Path, shown: str, rows: int, stops: Sequence[int], limit: int | None) -> tuple[list[Cut], str]:
    """The slices and the file's SHA-256. Raises SourceError when the array is cut off or malformed."""
    with opened(path, shown) as stream:
        data = stream.read()
    cuts: list[Cut] = []
    spans = islice(_elements(data, data.index(b"[") + 1, shown), limit)
    start, begin, end = 0, 0, 0
    goal = next_goal(0, rows, stops)
    for number, (first, last) in enumerate(spans):
        begin, end = (first if number == start else begin), last
        if number + 1 == goal:
            cuts.append(_cut(data, start, goal, begin, end))
            start, goal = goal, next_goal(goal, rows, stops)
        count = number + 1
    if end and start < count:
        cuts.append(_cut(data, start, count, begin, end))
    return cuts, hashlib.sha256(data).hexdigest()


def read_slice(path: Path, part: Slice, longest: int) -> Iterator[RawRow]:
    """The elements of one slice, in order."""
    with opened(path, part.file) as stream:
        stream.seek(part.offset or 0)
        data = stream.read(part.length or 0)
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise changed(part)
    for row, (first, last) in enumerate(_elements(data + b"]", 0, part.file), start=part.start):
        yield parsed(row, data[first:last], last - first, longest)


def _cut(data: bytes, start: int, stop: int, begin: int, end: int) -> Cut:
    return Cut(start, stop, begin, end - begin, hashlib.sha256(data[begin:end]).hexdigest())


def _elements(data: bytes, position: int, shown: str) -> Iterator[tuple[int, int]]:
    """Where each element begins and ends. Read as Latin-1, one character is one byte, and JSON's marks are the same."""
    text = data.decode("latin-1")
    try:
        while True:
            gap = _GAP.match(text, position)
            position = gap.end() if gap else position
            if text[position : position + 1] == "]":
                return
            end = _DECODER.raw_decode(text, position)[1]
            yield position, end
            position = end
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{shown}: the JSON array is broken at byte {error.pos} ({error.msg}); fetch the file again"
        ) from error
