"""Sources that are files (JSON Lines, JSON, Parquet; packed or not): which there are, how they are cut and read."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.engine.store import canonical_digest
from tracemill.errors import SourceError
from tracemill.ingest.formats import parquet
from tracemill.ingest.formats.cache import Cache
from tracemill.ingest.formats.heads import Head, check, head_of
from tracemill.ingest.formats.jsonlines import Cut
from tracemill.ingest.formats.layouts import layout_of
from tracemill.ingest.formats.listing import DataFile, local_files
from tracemill.ingest.formats.renames import continued
from tracemill.ingest.formats.unpacking import content_digest, plain
from tracemill.ingest.source import RawRow, Slice, Source

SILENT = 5.0  # seconds of planning after which it is said how far it is
_log = logging.getLogger(__name__)


class FileSource(Source):
    """Rows of local files. `path` names a file, a folder, or files by wildcards, and may hold ${NAME} variables.

    `longest_row`: a longer line (bytes) is quarantined, so that one runaway row cannot fill the memory.
    """

    path: str
    longest_row: int = 8 * 1024 * 1024

    def files(self, resources: Resources) -> list[DataFile]:
        """The files there are now, in the order in which they are planned. Raises SourceError when there are none."""
        try:
            return local_files(self.path, resources)
        except SourceError as error:
            raise SourceError(f"source {self.name!r}: {error}") from error

    def state(self, resources: Resources) -> str:
        """A digest over the files' names and contents."""
        cache = Cache(resources.cache)
        return canonical_digest({f.shown: content_digest(f.have(), f.shown, cache) for f in self.files(resources)})

    def required(self) -> tuple[str, ...]:
        """The columns that every file must have."""
        return self.documented

    def optional(self) -> tuple[str, ...]:
        """The columns that rows of JSON may leave out; see heads.check."""
        return ()

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut every file; see Source.plan."""
        cutting = _Cutting(self, resources, rows_per_shard, earlier)
        slices = cutting.slices()
        check(self.name, cutting.heads, self.required())
        return slices

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice; see Source.read."""
        if part.stop > part.start:
            yield from self.rows(self.file_of(resources, part), [part], Cache(resources.cache))

    def file_of(self, resources: Resources, part: Slice) -> Path:
        """Where a slice's file is on this machine. Raises SourceError when it is gone."""
        for file in self.files(resources):
            if file.shown == part.file:
                return file.have()
        raise SourceError(f"source {self.name!r}: {part.file} was planned but is gone; run `plan` again")

    def rows(self, path: Path, parts: Sequence[Slice], cache: Cache) -> Iterator[RawRow]:
        """The rows of some slices of one file, in order."""
        for part in parts:
            unpacked = plain(path, part.file, cache)
            digest = partial(content_digest, path, part.file, cache)
            yield from layout_of(unpacked, part.file).read_slice(unpacked, part, self.longest_row, digest)


class _Cutting:
    """One planning of a source: its files, what they were in the last plan, and what their first rows showed."""

    def __init__(self, source: FileSource, resources: Resources, rows: int, earlier: Sequence[Slice]) -> None:
        self.source = source
        self.rows = rows
        self.cache = Cache(resources.cache)
        self.tell = resources.tell
        self.told = time.monotonic()
        self.files = {file.shown: file for file in source.files(resources)}
        self.heads: list[Head] = []
        self.earlier: dict[str, list[Slice]] = {}
        for part in earlier:
            self.earlier.setdefault(part.named, []).append(part)
        self.names = continued(list(self.files), earlier, self._content) if earlier else {}

    def _content(self, shown: str) -> tuple[Path, str]:
        path = self.files[shown].have()
        return plain(path, shown, self.cache), content_digest(path, shown, self.cache)

    def slices(self) -> list[Slice]:
        """All files' slices, in the order of the files; with a limit, what was planned before comes first."""
        limit = self.source.limit
        made = list[Slice]()
        promised = {shown: _rows(self.earlier[name]) for shown, name in self.names.items()}
        for number, shown in enumerate(self.files, start=1):
            self._say(number, shown, _rows(made))
            own = promised.pop(shown, 0)
            left = None if limit is None else max(limit - _rows(made) - sum(promised.values()), own)
            if left is None or left > 0:
                made += self._cut(shown, left)
        return made

    def _say(self, number: int, shown: str, rows: int) -> None:
        if time.monotonic() - self.told > SILENT:
            self.told = time.monotonic()
            self.tell(
                f"source {self.source.name!r}: file {number} of {len(self.files)} ({shown}), {rows:,} rows so far"
            )

    def _cut(self, shown: str, limit: int | None) -> list[Slice]:
        path = self.files[shown].have()
        file = self.files[shown]
        unpacked, digest = self._content(shown)
        name = self.names.get(shown) or self._new_name(shown, digest)
        known = {part.start: part for part in self.earlier.get(name, ())}
        stops = sorted(part.stop for part in known.values())
        layout = layout_of(unpacked, shown)
        cuts = layout.cut_file(unpacked, shown, digest, self.rows, stops, limit)
        made = made_slices(self.source.name, shown, cuts, file.commit or digest, known, name)
        if file.commit:  # rows are fetched at the newest commit that has them: an old one may be gone
            made = [part.model_copy(update={"revision": file.commit}) for part in made]
        where = shown if shown == str(path) else f"{shown} ({path})"
        columns = dict.fromkeys((*self.source.required(), *self.source.optional()))
        rows = self.source.rows(path, made, self.cache)
        self.heads.append(head_of(where, layout is parquet, rows, list(columns)))
        if not made:
            _log.warning("source %r: %s is empty", self.source.name, where)
        return made

    def _new_name(self, shown: str, digest: str) -> str:
        """A path names its rows, unless rows of another content were first planned under it."""
        return f"{shown}@{digest[:12]}" if shown in self.earlier else shown


def _rows(parts: Sequence[Slice]) -> int:
    return sum(part.stop - part.start for part in parts)


def made_slices(
    source: str, file: str, cuts: Sequence[Cut], revision: str, known: Mapping[int, Slice], planned_as: str = ""
) -> list[Slice]:
    """The cuts as slices; one that is as it was in an earlier plan (by its first row) keeps its first revision."""
    named = {"source": source, "file": file, "planned_as": planned_as or file}
    return [_unchanged(known.get(cut.start), Slice(**named, revision=revision, **asdict(cut))) for cut in cuts]


def _unchanged(before: Slice | None, now: Slice) -> Slice:
    if before is None or (before.stop, before.sha256, before.offset) != (now.stop, now.sha256, now.offset):
        return now
    return now.model_copy(update={"revision": before.revision})
