"""Cuts Parquet files into runs of rows and reads one run back, from its row groups alone.

Bytes of single rows cannot be told in Parquet: a slice is known by the digest of its file and its row numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.errors import SourceError
from tracemill.shards import canonical_digest
from tracemill.sources.base import RawRow, RowError, Slice
from tracemill.sources.jsonlines import SHOWN, Cut, changed, content_digest, next_goal, opened

BATCH = 256  # rows turned into Python objects at once


def cut_file(path: Path, shown: str, rows: int, stops: Sequence[int], limit: int | None) -> tuple[list[Cut], str]:
    """The slices and the file's SHA-256. Raises SourceError when the file is truncated or no Parquet."""
    with _parquet(path, shown) as file:
        total: int = file.metadata.num_rows
    digest = content_digest(path, shown)
    return cut_rows(total if limit is None else min(total, limit), rows, stops, digest), digest


def cut_rows(total: int, rows: int, stops: Sequence[int], digest: str) -> list[Cut]:
    """Runs of rows of something that is known as a whole by `digest`."""
    cuts: list[Cut] = []
    start = 0
    while start < total:
        stop = min(next_goal(start, rows, stops), total)
        cuts.append(Cut(start, stop, None, None, run_digest(digest, start, stop)))
        start = stop
    return cuts


def run_digest(digest: str, start: int, stop: int) -> str:
    """The identity of a run of rows."""
    return canonical_digest({"whole": digest, "start": start, "stop": stop})


def read_slice(path: Path, part: Slice, longest: int) -> Iterator[RawRow]:
    """The rows of one slice, in order."""
    digest = content_digest(path, part.file)
    if run_digest(digest, part.start, part.stop) != part.sha256:
        raise changed(part)
    with _parquet(path, part.file) as file:
        groups, first = _groups(file, part.start, part.stop)
        row = first
        for batch in file.iter_batches(BATCH, row_groups=groups):
            if row + batch.num_rows > part.start and row < part.stop:
                wanted = batch.slice(max(part.start - row, 0), part.stop - max(row, part.start))
                for number, value in enumerate(wanted.to_pylist(), start=max(row, part.start)):
                    yield decoded_row(number, value, longest)
            row += batch.num_rows


def decoded_row(row: int, value: dict[str, Any], longest: int) -> RawRow:
    """A row that came as Python objects; its JSON is the text for the quarantine."""
    size = _size(value)
    text = "" if size > longest else json.dumps(value, ensure_ascii=False, default=str)[:SHOWN]
    if size > longest:
        problem = RowError("row_too_long", f"{size} characters; a row may have {longest} (setting longest_row)")
        return RawRow(row=row, text=json.dumps(_beginnings(value), ensure_ascii=False, default=str), error=problem)
    return RawRow(row=row, text=text, value=value)


def _size(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(item) for item in value.values())
    return sum(_size(item) for item in value) if isinstance(value, list | tuple) else 8


def _beginnings(value: dict[str, Any]) -> dict[str, str]:
    return {name: str(item)[:1000] for name, item in value.items()}


def _groups(file: pq.ParquetFile, start: int, stop: int) -> tuple[list[int], int]:
    """The row groups that overlap the run, and the number of the first row in them."""
    groups: list[int] = []
    first, row = start, 0
    for index in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(index).num_rows
        if row < stop and row + count > start:
            first = row if not groups else first
            groups.append(index)
        row += count
    return groups, first


@contextmanager
def _parquet(path: Path, shown: str) -> Iterator[pq.ParquetFile]:
    with opened(path, shown) as stream:
        try:
            yield pq.ParquetFile(stream)
        except pa.ArrowInvalid as error:
            raise SourceError(f"{shown}: is not whole Parquet data ({error}); fetch the file again") from error
