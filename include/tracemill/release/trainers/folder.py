"""Exports a release in one layout as a folder that trainers load: files of bounded size, metadata, and a card.

The folder appears whole or not at all; an earlier export there is replaced, other files are refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.engine.objects import store_io
from tracemill.errors import StoreError
from tracemill.release.trainers.card import export_card
from tracemill.release.trainers.layouts import AM_SYSTEM, SCHEMAS, LayoutName, laid_out
from tracemill.release.trainers.opened import CARD, Opened, by_teacher
from tracemill.release.writer import METADATA, METADATA_FILE

MARK = "tracemill-export.json"  # names layout and rows; also marks the folder as ours
ROWS_PER_FILE = 50_000  # about 0.3 GB of compressed traces
_LONGEST = 80  # characters of a teacher's name in a folder's


class Wanted(BaseModel):
    """A layout with its settings. `system`: a system prompt for every row, where the layout has a place for one.

    `system: am` is the one of the paper's training (arXiv 2503.19633, table 1).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: LayoutName  # how a row is laid out: `tracemill export --help` says what each is for
    system: Annotated[str | None, Field(min_length=1, exclude_if=lambda text: text is None)] = None
    rows_per_file: Annotated[int, Field(ge=1, exclude_if=lambda rows: rows == ROWS_PER_FILE)] = ROWS_PER_FILE  # at most
    by: Annotated[Literal["teacher"] | None, Field(exclude_if=lambda by: by is None)] = None  # a folder for each

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.layout == "am" and self.system:
            raise ValueError("layout `am` is as published, without system prompt: take another layout, or leave it out")
        return self

    @property
    def prompt(self) -> str | None:
        """The system prompt's text."""
        return AM_SYSTEM if self.system == "am" else self.system


def export(release: Opened, wanted: Wanted, folder: Path, tell: Callable[[int], None]) -> int:
    """Write the release in that layout to `folder` and return how many rows it has; `tell` hears of rows as they go.

    With `by` teacher there is a folder for each below it, whole by itself. Memory is bounded by a batch of rows. Raises
    MissingInput for a release without rows, StoreError when the folder holds other files or cannot be written.
    """
    release.count()
    if wanted.by == "teacher":
        return _by_teacher(release, wanted, folder, tell)
    with replaced(folder) as place:
        written = {part: _write(release, part, wanted, place, tell) for part in release.parts}
        card = export_card(release.text(CARD), wanted.layout, wanted.prompt, written)
        mark = {"layout": wanted.layout, "system": wanted.prompt, "rows": written}
        with store_io(f"cannot write {folder}"):
            (place / "RELEASE.md").write_text(release.text(CARD), encoding="utf-8")
            (place / CARD).write_text(card, encoding="utf-8")
            (place / MARK).write_text(json.dumps(mark, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return sum(written.values())


def _by_teacher(release: Opened, wanted: Wanted, folder: Path, tell: Callable[[int], None]) -> int:
    alone = wanted.model_copy(update={"by": None})
    teachers = {folder_name(name): own for name, own in by_teacher(release).items()}
    with replaced(folder) as place:
        rows = {name: export(own, alone, place / name, tell) for name, own in teachers.items()}
        mark = {"layout": wanted.layout, "by": wanted.by, "rows": rows}
        with store_io(f"cannot write {folder}"):
            (place / MARK).write_text(json.dumps(mark, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return sum(rows.values())


def folder_name(teacher: str) -> str:
    """A folder's name for a teacher. A source may have named it, so what no folder should hold is left out, and a
    digest of the name tells two apart that then read the same.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", teacher).strip("-.")[:_LONGEST]
    if plain and plain == teacher:
        return plain
    return f"{plain or 'teacher'}-{hashlib.sha256(teacher.encode()).hexdigest()[:8]}"


def _write(release: Opened, part: str, wanted: Wanted, place: Path, tell: Callable[[int], None]) -> int:
    with (
        _Files(place, part, SCHEMAS[wanted.layout], wanted.rows_per_file) as files,
        _parquet(place / _metadata_name(release, part), METADATA, True) as about,
    ):
        for rows, lines in release.rows(part):
            files.write(laid_out(rows, lines, wanted.layout, wanted.prompt))
            about.write_table(lines.cast(METADATA))
            tell(rows.num_rows)
        return files.rows


def rows_of(parts: Iterable[str], names: Iterable[str]) -> list[str]:
    """Which of an export's files hold rows of these parts, in order of name; the others are about them."""
    known = [re.compile(rf"{re.escape(part)}-\d{{5,}}\.parquet") for part in parts]
    return sorted(name for name in names if any(one.fullmatch(name) for one in known))


def _metadata_name(release: Opened, part: str) -> str:
    return METADATA_FILE if len(release.parts) == 1 else f"metadata-{part}.parquet"


class _Files:
    """PART-00000.parquet, PART-00001.parquet, ... of at most so many rows each; at least one, also without rows."""

    def __init__(self, place: Path, part: str, schema: pa.Schema, most: int) -> None:
        self.rows = 0
        self._place = place
        self._part = part
        self._schema = schema
        self._most = most
        self._number = 0
        self._here = 0
        self._file = self._next()

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _next(self) -> Any:
        path = self._place / f"{self._part}-{self._number:05d}.parquet"
        self._number += 1
        self._here = 0
        return _parquet(path, self._schema, False)

    def write(self, rows: pa.Table) -> None:
        while rows.num_rows:
            if self._here == self._most:
                self._file.close()
                self._file = self._next()
            now = rows.slice(0, self._most - self._here)
            with store_io(f"cannot write {self._place}"):
                self._file.write_table(now)
            self._here += now.num_rows
            self.rows += now.num_rows
            rows = rows.slice(now.num_rows)


def _parquet(path: Path, schema: pa.Schema, repeated: bool) -> pq.ParquetWriter:
    with store_io(f"cannot write {path}"):
        return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated, write_page_checksum=True)


def replaceable(folder: Path) -> Path:
    """Where a folder really lies: where a link leads is replaced, not the link. Raises StoreError for a file, and for
    the folder that the caller is in.
    """
    place = folder.resolve()
    if place == Path.cwd():
        raise StoreError(f"{place} is the folder that you are in, which cannot be replaced: name another")
    if place.is_file():
        raise StoreError(f"{place} is a file: name a new or empty folder")
    return place


@contextmanager
def replaced(folder: Path, mark: str = MARK) -> Iterator[Path]:
    """A new folder beside `folder` that takes its place when all went well. Raises StoreError for others' files: a
    folder of ours has a file `mark`.
    """
    with store_io(f"cannot write {folder}"):
        folder = replaceable(folder)
        if folder.exists() and any(folder.iterdir()) and not (folder / mark).is_file():
            raise StoreError(f"{folder} holds other files: export into a new or empty folder")
        new = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
        new.mkdir(parents=True)
    try:
        yield new
        with store_io(f"cannot write {folder}"):
            if folder.exists():
                shutil.rmtree(folder)
            new.replace(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
