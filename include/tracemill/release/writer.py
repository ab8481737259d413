"""Writes released rows to JSON lines, Parquet and a metadata table at once; the same rows give the same bytes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tracemill.objects import store_io
from tracemill.release.layout import SCHEMA, published_line, published_row
from tracemill.release.rows import ReleasedRow
from tracemill.shards import ROW_GROUP

ZSTD_LEVEL = 3  # about a quarter of the text; a level changes bytes, so it is no setting
_REPEATED = ["messages.list.element.role", "messages.list.element.info.source"]  # the long texts never repeat
_WHERE = "cannot write the release's scratch files"
_VERDICT = pa.struct(
    [("verifier", pa.string()), ("status", pa.string()), ("score", pa.float64()), ("reason", pa.string())]
)
_MATCH = pa.struct(
    [
        ("benchmark", pa.string()),
        ("item", pa.string()),
        ("rule", pa.string()),
        ("score", pa.float32()),
        ("threshold", pa.float32()),
    ]
)
_MEASUREMENT = pa.struct([("metric", pa.string()), ("measurer", pa.string()), ("value", pa.float64())])

# Row k of the metadata is about row k of the data files. `tokens`: of prompt and response, as the teacher counted
# them or else as labels estimate them. `topic`: what a labelling model says a problem is about. `seam`: the character
# of the teacher's text from which a cut trace was continued.
METADATA = pa.schema(
    [
        ("row", pa.int64()),
        ("problem_id", pa.string()),
        ("generation_id", pa.string()),
        ("source", pa.string()),
        ("native_id", pa.string()),
        ("origins", pa.list_(pa.string())),
        ("license", pa.string()),
        ("category", pa.string()),
        ("difficulty", pa.string()),
        ("language", pa.string()),
        ("topic", pa.string()),
        ("teacher", pa.string()),
        ("sample_index", pa.int32()),
        ("finish_reason", pa.string()),
        ("tokens", pa.int32()),
        ("seam", pa.int64()),
        ("reward", pa.float64()),
        ("measurements", pa.list_(_MEASUREMENT)),
        ("verdicts", pa.list_(_VERDICT)),
        ("contamination", pa.list_(_MATCH)),
        ("shard", pa.int32()),
    ]
)


class ReleaseWriter:
    """Three files below `folder`: NAME.jsonl.zst, NAME.parquet and metadata.parquet, filled batch by batch."""

    def __init__(self, folder: Path, name: str) -> None:
        self.files = {file: folder / file for file in (f"{name}.jsonl.zst", f"{name}.parquet", "metadata.parquet")}
        self.rows = 0
        self._waiting: list[ReleasedRow] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        lines, table, metadata = self.files.values()
        with store_io(_WHERE):
            raw = self._open.enter_context(lines.open("wb"))
            compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
            self._lines = self._open.enter_context(compressor.stream_writer(raw, closefd=False))
            self._table = self._open.enter_context(_parquet(table, SCHEMA, _REPEATED))
            self._metadata = self._open.enter_context(_parquet(metadata, METADATA, True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        with store_io(_WHERE):
            self._open.close()

    def write(self, rows: list[ReleasedRow]) -> None:
        """Append rows to the three files. Raises StoreError when the scratch disk fails."""
        self._waiting += rows
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        published = [published_row(row.problem, row.generation) for row in rows]
        metadata = [_metadata(row, self.rows + k) for k, row in enumerate(rows)]
        with store_io(_WHERE):
            for row in published:
                self._lines.write(published_line(row))
            self._table.write_table(pa.Table.from_pylist(published, SCHEMA))
            self._metadata.write_table(pa.Table.from_pylist(metadata, METADATA))
        self.rows += len(rows)


def _parquet(path: Path, schema: pa.Schema, repeated: list[str] | bool) -> pq.ParquetWriter:
    """A writer that keeps a dictionary of the `repeated` columns only (True: of all that it pays for)."""
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated, write_page_checksum=True)


def _metadata(row: ReleasedRow, number: int) -> dict[str, Any]:
    generation, problem = row.generation, row.problem
    return {
        "row": number,
        "problem_id": problem["id"],
        "generation_id": generation["id"],
        "source": problem["source"],
        "native_id": problem["native_id"],
        "origins": row.origins,
        "license": problem["license"],
        **row.labels,
        "teacher": generation["teacher"],
        "sample_index": generation["sample_index"],
        "finish_reason": generation["finish_reason"],
        "tokens": row.tokens,
        "seam": row.seam,
        "reward": row.reward,
        "measurements": row.measurements,
        "verdicts": row.verdicts,
        "contamination": row.contamination,
        "shard": row.shard,
    }
