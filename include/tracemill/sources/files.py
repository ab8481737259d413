"""Sources that are files on disk (JSON Lines, plain or `.zst`, JSON arrays, Parquet): planning, reading, checking."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from tracemill.errors import SourceError
from tracemill.resources import Resources
from tracemill.shards import canonical_digest
from tracemill.sources.base import RawRow, Slice, Source
from tracemill.sources.columns import column_names, has_column
from tracemill.sources.jsonlines import Cut, content_digest
from tracemill.sources.layouts import layout_of

CHECKED = 20  # rows at a file's head whose columns are checked


class FileSource(Source):
    """Rows of local files. `path` may hold ${NAME} variables and, in its last part, wildcards.

    `longest_row`: a longer line (bytes) is quarantined, so that one runaway row cannot fill the memory.
    """

    path: str
    longest_row: int = 8 * 1024 * 1024

    def files(self, resources: Resources) -> dict[str, Path]:
        """The files by the name they have in plans and provenance: the recipe's text, so the same on every machine."""
        path = resources.path(self.path)
        if not glob.has_magic(path.name):
            return {self.path: path}
        found = sorted(Path(name) for name in glob.glob(str(path)))  # noqa: PTH207 - keeps the literal parent
        if not found:
            raise SourceError(
                f"source {self.name!r}: no file matches {self.path} ({path}); check the path in the recipe"
            )
        parent = self.path.rpartition("/")[0]
        return {f"{parent}/{file.name}" if parent else file.name: file for file in found}

    def state(self, resources: Resources) -> str:
        """A digest over the files' names and contents."""
        return canonical_digest({name: content_digest(path, name) for name, path in self.files(resources).items()})

    def required(self) -> tuple[str, ...]:
        """The columns that every file must have in its first rows."""
        return self.documented

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut every file; see Source.plan."""
        slices: list[Slice] = []
        for shown, path in self.files(resources).items():
            known = {part.start: part for part in earlier if part.file == shown}
            left = None if self.limit is None else self.limit - sum(part.stop - part.start for part in slices)
            if left is None or left > 0:
                stops = sorted(part.stop for part in known.values())
                cuts, revision = layout_of(path, shown).cut_file(path, shown, rows_per_shard, stops, left)
                made = made_slices(self.name, shown, cuts, revision, known)
                where = shown if shown == str(path) else f"{shown} ({path})"
                self.check_head(where, list(islice(self._rows(path, made[:1]), CHECKED)))
                slices += made
        return slices

    def check_head(self, where: str, head: list[RawRow]) -> None:
        """Refuse what is empty, has no readable row, or lacks a documented column. Raises SourceError."""
        if not head:
            raise SourceError(f"source {self.name!r}: {where} is empty; a source must have at least one row")
        good = [raw for raw in head if raw.error is None]
        if not good:
            raise SourceError(
                f"source {self.name!r}: none of the first {len(head)} rows of {where} can be read "
                f"(row 1: {head[0].error}); expected JSON Lines, a JSON array or Parquet"
            )
        for column in self.required():
            if not any(has_column(raw.value, column) for raw in good):
                names = ", ".join(column_names(good[0].value))
                raise SourceError(
                    f"source {self.name!r}: {where}, row {good[0].row + 1}: column {column!r} is missing; the row "
                    f"has: {names}. If it was renamed, map it in the recipe or use the revision that has it"
                )

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice; see Source.read."""
        path = self.files(resources).get(part.file)
        if path is None:
            raise SourceError(f"source {self.name!r}: {part.file} was planned but is gone; run `plan` again")
        yield from self._rows(path, [part])

    def _rows(self, path: Path, parts: Sequence[Slice]) -> Iterator[RawRow]:
        for part in parts:
            yield from layout_of(path, part.file).read_slice(path, part, self.longest_row)


def made_slices(source: str, file: str, cuts: Sequence[Cut], revision: str, known: Mapping[int, Slice]) -> list[Slice]:
    """The cuts as slices; one that is as it was in an earlier plan (by its first row) comes back unchanged."""
    made = [Slice(source=source, file=file, revision=revision, **asdict(cut)) for cut in cuts]
    return [_unchanged(known.get(part.start), part) for part in made]


def _unchanged(before: Slice | None, now: Slice) -> Slice:
    same = before is not None and (before.stop, before.sha256, before.offset) == (now.stop, now.sha256, now.offset)
    return before if before is not None and same else now
