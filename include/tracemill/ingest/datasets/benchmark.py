"""Sources that are benchmarks: what cannot be scored is said before anything is asked, not lost on the way."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from tracemill.engine.days import Day
from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.columns import column_names, has_column
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.mapped import Columns, mapped_row
from tracemill.ingest.source import RawRow, RowError, Slice, SourceRow, asks_nothing
from tracemill.sandbox.comparators import SuiteError
from tracemill.sandbox.layouts import suite_from
from tracemill.text.ifeval_arguments import untold

OUTSIDE = "outside_window"
_SHOWN = 5  # faults of a benchmark that are told
_UNPACKED = 1 << 16  # characters of tests: more are packed ones, which are looked at where programs run


class Benchmark(DatasetSource):
    """Base of the benchmarks. `published`: the day on which it came out, for items that have no day of their own.

    Each item is asked, so each must be there once, with its gold: a file with a row that cannot be read, has no gold
    or is there twice, and one with more or fewer items than the benchmark has (unless `limit` says so), makes no plan.
    A problem outside the window of days that a recipe asks for is quarantined as `outside_window`.
    """

    responses: Literal["all", "reasoned", "none"] = "none"
    published: Day | None = None

    version: ClassVar[int] = 1
    title: ClassVar[str] = ""  # what reports call it
    whole: ClassVar[int | None] = None  # how many items it has

    @property
    def release_name(self) -> str:
        """What reports and releases call the benchmark."""
        return self.released_as or self.title or self.name

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Map one item; existing responses are no matter of a benchmark."""
        row = self.mapped(value)
        return row.model_copy(update={"published": row.published or self.published, "responses": ()})

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut it, and read it whole. Raises SourceError for what cannot be asked, all of it in one sentence."""
        slices = super().plan(resources, rows_per_shard, earlier)
        self._check(raw for part in slices for raw in self._named(resources, part))
        return slices

    def _named(self, resources: Resources, part: Slice) -> Iterator[tuple[str, RawRow]]:
        return ((f"{part.file} row {raw.row + 1}", raw) for raw in self.read(resources, part))

    def _check(self, rows: Iterable[tuple[str, RawRow]]) -> None:
        faults: list[str] = []
        seen: dict[str, str] = {}
        outside = ""
        count = 0
        for place, raw in rows:
            count += 1
            try:
                self._take(place, raw, seen)
            except RowError as error:
                if error.reason == OUTSIDE:
                    outside = outside or str(error)
                else:
                    faults.append(f"{place}: {error}")
        if faults:
            more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
            told = "; ".join(faults[:_SHOWN])
            raise SourceError(
                f"benchmark {self.name!r}: {len(faults)} of {count} items cannot be asked: {told}{more}. Mend the file "
                "or name another"
            )
        if not seen:
            raise SourceError(f"benchmark {self.name!r}: none of its {count} items is asked for: {outside}")
        if self.whole and self.limit is None and len(seen) != self.whole:
            raise SourceError(
                f"benchmark {self.name!r} has {len(seen)} items, and {self.title} has {self.whole}: fetch it again, or "
                f"say `limit: {len(seen)}` to evaluate on a part of it"
            )

    def _take(self, place: str, raw: RawRow, seen: dict[str, str]) -> None:
        if raw.error is not None:
            raise raw.error
        row = self.understand(raw.value)
        if asks_nothing(row.prompt):
            raise RowError("blank_prompt", "the problem has no text")
        _require_gold(row)
        first = seen.setdefault(_folded(row), place)
        if first != place:
            raise RowError("same_problem", f"is the item of {first} once more")


def _require_gold(row: SourceRow) -> None:
    """Raise RowError where nothing could ever be scored: no answer, no usable tests, no instruction to check."""
    if row.reference_answer:
        return
    if any((row.constraints or {}).values()):
        why = untold(row.constraints or {})
        if why:
            raise RowError("no_gold", f"has no gold: {why}")
        return
    if not row.test_case:
        raise RowError("no_gold", "has no gold: no answer, no tests and no instructions to check")
    if sum(len(part) for part in row.test_case.values() if isinstance(part, str)) > _UNPACKED:
        return
    try:
        suite_from(row.test_case)
    except SuiteError as error:
        raise RowError("no_gold", f"has no gold: its tests cannot be used: {error}") from error


def _folded(row: SourceRow) -> str:
    """What an item asks, apart from its white space: mirrors that double their items change that."""
    turns = [f"{turn['role']}\0{turn['content']}" for turn in row.messages or ()] or [row.prompt]
    return " ".join(unicodedata.normalize("NFKC", "\0".join(turns)).split())


def first_of(value: Mapping[str, Any], *names: str) -> str:
    """The first of these columns that the row has: mirrors of one benchmark name them differently. Raises RowError."""
    for name in names:
        if has_column(value, name):
            return name
    wanted = " or ".join(repr(name) for name in names)
    raise RowError("missing_column", f"column {wanted} is missing; the row has: {', '.join(column_names(value))}")


class OwnBenchmark(Benchmark):
    """A benchmark of your own: local files by `path`, or `repo` on the Hub, and `columns` that say which holds what.

    The gold is `reference_answer`, `test_case` or `constraints` of `columns`.
    """

    kind: Literal["benchmark"]
    repo: str = ""
    columns: Columns

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not (self.path or self.repo):
            raise ValueError(f"benchmark {self.name!r}: give `path` (local files) or `repo` (a data set of the Hub)")
        return self

    def required(self) -> tuple[str, ...]:
        """The columns of the problem itself."""
        return self.columns.needed()

    def optional(self) -> tuple[str, ...]:
        """Every other mapped column."""
        return self.columns.optional()

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """One row through the mapping."""
        return mapped_row(value, self.columns, "unknown")
