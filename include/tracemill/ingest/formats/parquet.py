"""Cuts Parquet files into runs of rows and reads one run back, from its row groups alone.

Bytes of single rows cannot be told in Parquet: a slice is known by the digest of its file and its row numbers.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.engine.objects import WatchedHandle
from tracemill.engine.store import canonical_digest
from tracemill.errors import SourceError
from tracemill.ingest.formats.jsonlines import SHOWN, Cut, changed, next_goal
from tracemill.ingest.formats.unpacking import opened
from tracemill.ingest.source import RawRow, RowError, Slice

BATCH = 256  # rows turned into Python objects at once


@dataclass(frozen=True)
class Unreadable:
    """Stands for a value that has no Python form; a column that nobody asks for may hold it."""

    why: str

    def __str__(self) -> str:
        return self.why


def cut_file(path: Path, shown: str, digest: str, rows: int, stops: Sequence[int], limit: int | None) -> list[Cut]:
    """The slices. Raises SourceError when the file is truncated or no Parquet."""
    with _parquet(path, shown) as file:
        total: int = file.metadata.num_rows
        grouped = sum(file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups))
        names = file.schema_arrow.names
    if _goes_on(path):
        raise SourceError(f"{shown}: holds several Parquet files, one behind the other; give each a file of its own")
    if len(set(names)) < len(names):
        raise SourceError(f"{shown}: two columns have one name ({', '.join(names)}); write the file anew")
    if grouped != total:
        raise SourceError(f"{shown}: says it has {total} rows and has {grouped}; fetch the file again")
    return cut_rows(total if limit is None else min(total, limit), rows, stops, digest)


def _goes_on(path: Path) -> bool:
    """Whether a second file begins where one ended: the last footer alone would be read, with the first one's rows."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"PAR1PAR1") >= 0


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


def read_slice(path: Path, part: Slice, longest: int, digest: Callable[[], str]) -> Iterator[RawRow]:
    """The rows of one slice, in order. A value that has no Python form is its own row's fault."""
    if run_digest(digest(), part.start, part.stop) != part.sha256:
        raise changed(part)
    with _parquet(path, part.file) as file:
        groups, row = _groups(file, part.start, part.stop)
        for batch in file.iter_batches(BATCH, row_groups=groups):
            begin = max(part.start - row, 0)
            stop = min(part.stop - row, batch.num_rows)
            if begin < stop:
                yield from _rows_of(batch.slice(begin, stop - begin), row + begin, longest)
            row += batch.num_rows


def _rows_of(batch: pa.RecordBatch, first: int, longest: int) -> Iterator[RawRow]:
    try:
        values = _as_written(batch).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        yield from (_row_of(batch, index, first + index, longest) for index in range(batch.num_rows))
    else:
        yield from (decoded_row(row, value, longest) for row, value in enumerate(values, start=first))


def _as_written(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with narrow floats as the numbers that they print: 0.1 of 32 bits is not 0.10000000149011612."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_float32(field.type):
            written = batch.column(place).cast(pa.string()).cast(pa.float64())
            batch = batch.set_column(place, field.name, written)
    return batch


def _row_of(batch: pa.RecordBatch, index: int, row: int, longest: int) -> RawRow:
    """One row of a batch that holds a value without a Python form: a date after 9999, text that is no UTF-8."""
    value: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            value[name] = column[index].as_py()
        except (ValueError, OverflowError, pa.ArrowException) as error:
            value[name] = Unreadable(f"a {column.type} that cannot be read: {error}")
    return decoded_row(row, value, longest)


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
    first = start
    row = 0
    for index in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(index).num_rows
        if row < stop and row + count > start:
            first = row if not groups else first
            groups.append(index)
        row += count
    return groups, first


@contextmanager
def _parquet(path: Path, shown: str) -> Iterator[pq.ParquetFile]:
    """The open file; whatever Arrow finds wrong while it is read is the file's fault, and said so."""
    with opened(path, shown) as raw, WatchedHandle(raw) as stream:
        try:
            yield pq.ParquetFile(stream, page_checksum_verification=True)
        except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
            if stream.failure is not None:
                raise stream.failure from error
            raise SourceError(f"{shown}: is not whole Parquet data ({error}); fetch the file again") from error
