"""Sources that are JSON Lines files on disk, plain or `.zst`: planning, reading, and the check of their columns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tracemill.errors import SourceError
from tracemill.resources import Resources
from tracemill.shards import canonical_digest
from tracemill.sources.base import RawRow, Slice, Source
from tracemill.sources.columns import column_names, has_column
from tracemill.sources.jsonlines import SHOWN, content_digest, cut_lines, opened, parsed, read_lines

CHECKED = 20  # rows at a file's head whose columns are checked


class FileSource(Source):
    """Rows of JSON Lines files. `path` may hold ${NAME} variables and, in its last part, wildcards.

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
            self._check_head(shown, path)
            known = {part.start: part for part in earlier if part.file == shown}
            left = None if self.limit is None else self.limit - sum(part.stop - part.start for part in slices)
            if left is None or left > 0:
                slices += self._cut(shown, path, rows_per_shard, known, left)
        return slices

    def _cut(self, shown: str, path: Path, rows: int, known: dict[int, Slice], limit: int | None) -> list[Slice]:
        with opened(path, shown) as stream:
            cuts, revision = cut_lines(stream, rows, sorted(part.stop for part in known.values()), limit)
        made = [
            Slice(
                source=self.name,
                file=shown,
                start=cut.start,
                stop=cut.stop,
                sha256=cut.sha256,
                revision=revision,
                offset=cut.offset,
                length=cut.length,
            )
            for cut in cuts
        ]
        return [_unchanged(known.get(part.start), part) for part in made]

    def _check_head(self, shown: str, path: Path) -> None:
        """Refuse a file that is empty, is not JSON Lines, or lacks a documented column."""
        rows = list(islice(self._lines(shown, path), CHECKED))
        if not rows:
            raise SourceError(f"source {self.name!r}: {shown} is empty ({path}); a source must have at least one row")
        good = [raw for raw in rows if raw.error is None]
        if not good:
            first = rows[0].error
            raise SourceError(
                f"source {self.name!r}: none of the first {len(rows)} lines of {shown} is a JSON object "
                f"(line 1: {first}); expected JSON Lines"
            )
        for column in self.required():
            if not any(has_column(raw.value, column) for raw in good):
                names = ", ".join(column_names(good[0].value))
                raise SourceError(
                    f"source {self.name!r}: {shown}, line {good[0].row + 1}: column {column!r} is missing; the row "
                    f"has: {names}. If it was renamed, map it in the recipe or use the revision that has it"
                )

    def _lines(self, shown: str, path: Path) -> Iterator[RawRow]:
        with opened(path, shown) as stream:
            row = 0
            while line := stream.readline(self.longest_row + 1):
                yield parsed(row, line, len(line), self.longest_row)
                row += 1

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice; see Source.read."""
        path = self.files(resources).get(part.file)
        if path is None:
            raise SourceError(f"source {self.name!r}: {part.file} was planned but is gone; run `plan` again")
        with opened(path, part.file) as stream:
            for row, line, size in read_lines(stream, part, max(self.longest_row, SHOWN)):
                yield parsed(row, line, size, self.longest_row)


def _unchanged(before: Slice | None, now: Slice) -> Slice:
    same = before is not None and (before.stop, before.sha256, before.offset) == (now.stop, now.sha256, now.offset)
    return before if before is not None and same else now
