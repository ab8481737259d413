"""Writes the files of one set while its rows pass by: Parquet, or the JSON lines of the published 40M layout."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.engine.objects import store_io
from tracemill.engine.store import ROW_GROUP

DATA = "train.parquet"
_WHERE = "cannot write the export's scratch files"


class SetFiles:
    """The data files of a set below `folder`, by their names; `rows` counts each file's.

    Rows go to DATA in Parquet, or, where a file is named for them, to that file's JSON lines. A set without a row is
    an empty DATA with its columns.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.rows: Counter[str] = Counter()
        self._folder = folder
        self._schema = schema
        self._waiting: list[dict[str, Any]] = []
        self._lines: dict[str, IO[bytes]] = {}
        self._table: pq.ParquetWriter | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with store_io(_WHERE):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with store_io(_WHERE):
            if error is None and (self._waiting or not self.rows):
                self._flush()
            self._open.close()

    @property
    def files(self) -> dict[str, Path]:
        """The files by name; complete once the writer is closed."""
        return {name: self._folder / name for name in sorted(self.rows)}

    def add(self, row: dict[str, Any]) -> None:
        """Append a row to DATA."""
        self._waiting.append(row)
        if len(self._waiting) >= ROW_GROUP:
            with store_io(_WHERE):
                self._flush()

    def add_line(self, name: str, row: dict[str, Any]) -> None:
        """Append a row to `name`.jsonl, its keys in the order of the columns; 32-bit numbers are written as such."""
        with store_io(_WHERE):
            file = f"{name}.jsonl"
            if file not in self._lines:
                self._lines[file] = self._open.enter_context((self._folder / file).open("wb"))
            self._lines[file].write(orjson.dumps({key: row[key] for key in self._schema.names}) + b"\n")
        self.rows[file] += 1

    def _flush(self) -> None:
        if self._table is None:
            writer = pq.ParquetWriter(self._folder / DATA, self._schema, compression="zstd", write_page_checksum=True)
            self._table = self._open.enter_context(writer)
        if self._waiting:  # an empty row group is one that `datasets` cannot read
            self._table.write_table(pa.Table.from_pylist(self._waiting, self._schema))
        self.rows[DATA] += len(self._waiting)
        self._waiting = []
