"""Which reader a file needs, by its first bytes. All of them cut a file into slices and read one slice back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tracemill.errors import SourceError
from tracemill.ingest.exact_json import decoded
from tracemill.ingest.formats import jsonlines, parquet
from tracemill.ingest.formats.jsonlines import Cut
from tracemill.ingest.formats.jsonvalues import JsonValues
from tracemill.ingest.formats.unpacking import BOM, FORMATS, opened
from tracemill.ingest.source import RawRow, Slice

HEAD = 1 << 20  # bytes that are looked at
ARRAY = JsonValues(level=1)
OBJECTS = JsonValues(level=0)


class Layout(Protocol):
    """A file format, as two functions on plain files (see unpacking). `shown` is the file's name in messages.

    `digest`: SHA-256 of the file, for formats whose rows have no bytes of their own; sizes are in bytes.
    """

    def cut_file(
        self, path: Path, shown: str, digest: str, rows: int, stops: Sequence[int], limit: int | None
    ) -> list[Cut]:
        """The slices, to the file's proven end. Raises SourceError for a missing or damaged file."""

    def read_slice(self, path: Path, part: Slice, longest: int, digest: Callable[[], str]) -> Iterator[RawRow]:
        """The rows of one slice. Raises SourceError when it is no longer what was planned."""


def layout_of(path: Path, shown: str) -> Layout:
    """The reader of a plain file: Parquet, one JSON array, objects over many lines, else one value a line."""
    with opened(path, shown) as stream:
        head = stream.read(HEAD).removeprefix(BOM)
    if head.startswith(b"PAR1"):
        return parquet
    name = shown.lower()
    if ".parquet" in name[-20:] and head:
        raise SourceError(f"{shown}: is not Parquet data; fetch the file again")
    if name.endswith((".csv", ".tsv")):
        raise SourceError(f"{shown}: a table of text is not read; expected {FORMATS}")
    return _of_text([line for line in head.split(b"\n", 100) if line.strip()][:3])


def _of_text(lines: list[bytes]) -> Layout:
    """By the first three lines that are not blank. A broken first line among good rows does not decide."""
    first, second, third = (line.strip() for line in [*lines, b"", b"", b""][:3])
    if first.startswith(b"["):
        rows_follow = second.startswith(b"{") and (_whole(first) or (_whole(second) and third.startswith(b"{")))
        return jsonlines if rows_follow else ARRAY
    printed = first.startswith(b"{") and not _whole(first) and second.startswith((b'"', b"}"))
    return OBJECTS if printed else jsonlines


def _whole(line: bytes) -> bool:
    try:
        decoded(line)
    except json.JSONDecodeError:
        return False
    return True
