"""Writes released rows to JSON lines, Parquet and a metadata table at once; the same rows give the same bytes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tracemill.engine.objects import store_io
from tracemill.engine.store import ROW_GROUP
from tracemill.release.layout import SCHEMA, published_line, published_row, response_source
from tracemill.release.parts import Parts, Sampled
from tracemill.release.rows import ReleasedRow

METADATA_FILE = "metadata.parquet"
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

# A row of the metadata is about row `row` of data file `file` (where there is one file, row k about row k).
# `tokens`: of prompt and response, as the teacher counted them or else as labels estimate them. `topic`: what a
# labelling model says a problem is about. `seam`: the character of the teacher's text from which a cut trace went on.
METADATA = pa.schema(
    [
        ("row", pa.int64()),
        ("file", pa.string()),
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
        ("response_source", pa.string()),
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
    """The files of a release below `folder`, filled batch by batch: NAME.jsonl.zst and NAME.parquet for each part that

    has rows (for the first part always), a NAME.jsonl for each sample, and metadata.parquet about all rows.
    """

    def __init__(self, folder: Path, parts: Parts) -> None:
        self.parts = parts
        self.rows: dict[str, int] = {}  # by data file, the first part first
        self.files = {METADATA_FILE: folder / METADATA_FILE}
        self._folder = folder
        self._waiting: list[ReleasedRow] = []
        self._parts: dict[str, tuple[Any, pq.ParquetWriter]] = {}
        self._samples = {name: Sampled(sample) for name, sample in parts.samples.items()}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with store_io(_WHERE):
            self._metadata = self._open.enter_context(_parquet(self.files[METADATA_FILE], METADATA, True))
        self._part(self.parts.file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        with store_io(_WHERE):
            self._open.close()
        for name, sampled in self._samples.items():
            if error is None and sampled.write(self._folder / f"{name}.jsonl"):
                self.files[f"{name}.jsonl"] = self._folder / f"{name}.jsonl"

    def write(self, rows: list[ReleasedRow]) -> None:
        """Append rows to their files. Raises StoreError when the scratch disk fails."""
        self._waiting += rows
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        waiting = self._waiting
        self._waiting = []
        by_file: dict[str, list[ReleasedRow]] = {}
        for row in waiting:
            by_file.setdefault(self.parts.file_of(response_source(row.generation)), []).append(row)
        for name, rows in by_file.items():
            self._append(name, rows)

    def _append(self, name: str, rows: list[ReleasedRow]) -> None:
        lines, table = self._part(name)
        published = [published_row(row.problem, row.generation) for row in rows]
        texts = [published_line(row) for row in published]
        metadata = [_metadata(row, name, self.rows[name] + k) for k, row in enumerate(rows)]
        with store_io(_WHERE):
            for text in texts:
                lines.write(text)
            table.write_table(pa.Table.from_pylist(published, SCHEMA))
            self._metadata.write_table(pa.Table.from_pylist(metadata, METADATA))
        for sampled in self._samples.values():
            for row, text in zip(rows, texts, strict=True) if sampled.sample.of == name else ():
                sampled.offer(row.generation["id"], text)
        self.rows[name] += len(rows)

    def _part(self, name: str) -> tuple[Any, pq.ParquetWriter]:
        if name not in self._parts:
            lines, table = (self._folder / f"{name}{suffix}" for suffix in (".jsonl.zst", ".parquet"))
            self.files |= {lines.name: lines, table.name: table}
            self.rows[name] = 0
            with store_io(_WHERE):
                raw = self._open.enter_context(lines.open("wb"))
                compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
                stream = self._open.enter_context(compressor.stream_writer(raw, closefd=False))
                self._parts[name] = stream, self._open.enter_context(_parquet(table, SCHEMA, _REPEATED))
        return self._parts[name]


def _parquet(path: Path, schema: pa.Schema, repeated: list[str] | bool) -> pq.ParquetWriter:
    """A writer that keeps a dictionary of the `repeated` columns only (True: of all that it pays for)."""
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated, write_page_checksum=True)


def _metadata(row: ReleasedRow, file: str, number: int) -> dict[str, Any]:
    generation = row.generation
    problem = row.problem
    return {
        "row": number,
        "file": file,
        "problem_id": problem["id"],
        "generation_id": generation["id"],
        "source": problem["source"],
        "native_id": problem["native_id"],
        "origins": row.origins,
        "license": problem["license"],
        **row.labels,
        "teacher": generation["teacher"],
        "response_source": response_source(generation),
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
