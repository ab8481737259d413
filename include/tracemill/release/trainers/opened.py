"""Opens a release to read it again: a published folder, or the files of a store's sealed release or version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tracemill.engine.objects import store_io
from tracemill.engine.store import ROW_GROUP, Store, StoredFile
from tracemill.errors import CorruptShard, MissingInput
from tracemill.release.layout import SCHEMA
from tracemill.release.writer import METADATA_FILE

CARD = "README.md"
_SHOWN = 80  # characters of a column's type


@dataclass(frozen=True)
class Opened:
    """A release as its files by name. `parts`: the data files (Parquet) without their suffix, in order of name."""

    where: str
    parts: tuple[str, ...]
    batches: Callable[[str], Iterator[pa.RecordBatch]]
    text: Callable[[str], str]

    def rows(self, part: str) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Rows of a part with their lines of metadata.parquet, a batch at a time, in order.

        Raises CorruptShard when the two are not about the same rows.
        """
        about = _Lines(self, part)
        for batch in self.batches(f"{part}.parquet"):
            yield pa.Table.from_batches([batch]), about.take(batch.num_rows)
        about.ended()

    def count(self) -> int:
        """How many rows there are in all parts. Raises MissingInput when there is none: nothing can be made of it."""
        found: int = sum(batch.num_rows for batch in self.batches(METADATA_FILE))
        if not found:
            raise MissingInput(f"{self.where} holds no row: a release whose every response was turned away")
        return found


@dataclass(frozen=True)
class OfTeacher(Opened):
    """The rows of a release that one teacher wrote, in their order."""

    teacher: str = ""

    def rows(self, part: str) -> Iterator[tuple[pa.Table, pa.Table]]:
        """The teacher's rows of a part with their lines; some batches may be empty."""
        for rows, lines in super().rows(part):
            own = pc.fill_null(pc.equal(lines["teacher"], self.teacher), False)
            yield rows.filter(own), lines.filter(own)

    def count(self) -> int:
        """How many rows the teacher wrote. Raises MissingInput when there is none."""
        written = (pc.sum(pc.equal(batch["teacher"], self.teacher)).as_py() for batch in self.batches(METADATA_FILE))
        found: int = sum(number or 0 for number in written)
        if not found:
            raise MissingInput(f"{self.where} holds no row of teacher {self.teacher!r}")
        return found


def by_teacher(release: Opened) -> dict[str, Opened]:
    """The release once for each teacher with rows in it, by name in order of name."""
    names = {name for batch in release.batches(METADATA_FILE) for name in pc.unique(batch["teacher"]).to_pylist()}
    parts = (release.where, release.parts, release.batches, release.text)
    return {name: OfTeacher(*parts, teacher=name) for name in sorted(names - {None})}


def release_folder(folder: Path) -> Opened:
    """A folder that `tracemill publish` wrote. Raises MissingInput when it is none."""
    parts = sorted(path.stem for path in folder.glob("*.parquet") if path.name != METADATA_FILE)
    if not parts or not (folder / METADATA_FILE).is_file():
        raise MissingInput(f"{folder} is no published release: it needs a data file and {METADATA_FILE} (see publish)")
    return Opened(
        str(folder),
        tuple(parts),
        lambda name: _batches(folder / name),
        lambda name: (folder / name).read_text(encoding="utf-8"),
    )


def release_files(store: Store, files: Mapping[str, StoredFile]) -> Opened:
    """The files of a sealed release, or of one of its versions, where they lie."""
    names = sorted(name.removesuffix(".parquet") for name in files if name.endswith(".parquet"))
    return Opened(
        store.root,
        tuple(name for name in names if f"{name}.parquet" != METADATA_FILE and "/" not in name),
        lambda name: store.get_batches(files[name]),
        lambda name: store.read_bytes(files[name].key).decode(),
    )


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with _readable(path) as file:
        if path.name != METADATA_FILE and file.schema_arrow.names != SCHEMA.names:
            columns = ", ".join(file.schema_arrow.names)
            raise CorruptShard(f"{path} has the columns {columns}, where a release has `messages`")
        if path.name != METADATA_FILE:
            _require_types(path, file.schema_arrow)
        yield from file.iter_batches(batch_size=ROW_GROUP)


def _require_types(path: Path, schema: pa.Schema) -> None:
    """Raise CorruptShard for columns that are not a release's; Polars does not tell large texts from others."""
    if pl.DataFrame(schema.empty_table()).schema != pl.DataFrame(SCHEMA.empty_table()).schema:
        kind = str(schema.field(0).type)[:_SHOWN]
        raise CorruptShard(f"{path}: `messages` is {kind}, which is no release's: publish it again")


@contextmanager
def _readable(path: Path) -> Iterator[pq.ParquetFile]:
    with store_io(f"cannot read {path}"):
        try:
            with pq.ParquetFile(path) as file:
                yield file
        except pa.ArrowInvalid as error:
            raise CorruptShard(f"{path} is damaged ({error}): publish it again") from error


class _Lines:
    """The metadata of one part, handed out in pieces of any size."""

    def __init__(self, release: Opened, part: str) -> None:
        self._where = f"{release.where}: {part}.parquet and {METADATA_FILE}"
        self._batches = (self._own(batch, part) for batch in release.batches(METADATA_FILE))
        self._held = pl.DataFrame()
        self._schema: pa.Schema | None = None

    def _own(self, batch: pa.RecordBatch, part: str) -> pl.DataFrame:
        self._schema = batch.schema
        return pl.DataFrame(pl.from_arrow(batch)).filter(pl.col("file") == part)

    def take(self, rows: int) -> pa.Table:
        while self._held.height < rows:
            more = next(self._batches, None)
            if more is None:
                raise CorruptShard(f"{self._where} are not about the same rows: publish the release again")
            self._held = pl.concat([self._held, more]) if self._held.height else more
        taken = self._held.head(rows)
        self._held = self._held.slice(rows)
        return taken.to_arrow().cast(self._schema)

    def ended(self) -> None:
        if self._held.height or any(batch.height for batch in self._batches):
            raise CorruptShard(f"{self._where} are not about the same rows: publish the release again")
