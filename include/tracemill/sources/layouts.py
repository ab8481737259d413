"""Which reader a local file needs. All of them cut a file into slices and read one slice back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tracemill.sources import jsonarray, jsonlines, parquet_rows
from tracemill.sources.base import RawRow, Slice
from tracemill.sources.jsonlines import Cut


class Layout(Protocol):
    """A file format, as a module of two functions. `shown` is the file's name in messages; sizes are in bytes."""

    def cut_file(
        self, path: Path, shown: str, rows: int, stops: Sequence[int], limit: int | None
    ) -> tuple[list[Cut], str]:
        """The slices, and the digest of the whole file. Raises SourceError for a missing or damaged file."""

    def read_slice(self, path: Path, part: Slice, longest: int) -> Iterator[RawRow]:
        """The rows of one slice. Raises SourceError when it is no longer what was planned."""


def layout_of(path: Path, shown: str) -> Layout:
    """Parquet and JSON Lines by suffix; a `.json` file may hold one array or, as some data sets have it, lines."""
    if path.suffix == ".parquet":
        return parquet_rows
    if path.suffix == ".json" and jsonarray.is_array(path, shown):
        return jsonarray
    return jsonlines
