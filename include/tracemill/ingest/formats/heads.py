"""Decides whether files hold what the recipe says: columns that no row has are said before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracemill.errors import SourceError
from tracemill.ingest.columns import column_names, has_column
from tracemill.ingest.formats.unpacking import FORMATS
from tracemill.ingest.source import RawRow

CHECKED = 20  # readable rows of a file that are looked at, unless a column is still missing then
UNREADABLE = 10_000  # rows without one that can be read, after which a file is given up


@dataclass
class Head:
    """What the first rows of a file showed. `typed`: its format lists its columns, so a missing one is no null."""

    where: str
    typed: bool
    rows: int = 0
    good: RawRow | None = None
    first_error: str = ""
    names: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)


def head_of(where: str, typed: bool, rows: Iterable[RawRow], columns: Sequence[str]) -> Head:
    """Look at rows until enough were readable and every column was seen in one of them."""
    head = Head(where, typed, missing=list(columns))
    good = 0
    for raw in rows:
        head.rows += 1
        if raw.error is not None:
            head.first_error = head.first_error or f"row {raw.row + 1}: {raw.error}"
            if not good and head.rows >= UNREADABLE:
                break
            continue
        good += 1
        head.good = head.good or raw
        head.names.update(column_names(raw.value))
        head.missing = [column for column in head.missing if not has_column(raw.value, column)]
        if good >= CHECKED and not head.missing:
            break
    return head


def check(source: str, heads: Sequence[Head], needed: Sequence[str]) -> None:
    """Refuse a source that is empty, unreadable, or lacks a column; an absent key of JSON rows is a null.

    A column that is not `needed` in every row may be missing from a whole file of JSON, unless no file has it (it is
    misspelt) or the file has a column that those with it lack (it was renamed). Raises SourceError.
    """
    full = [head for head in heads if head.rows]
    if not full:
        where = heads[0].where if heads else "it"
        raise SourceError(f"source {source!r}: {where} is empty; a source must have at least one row")
    for head in full:
        if head.good is None:
            raise SourceError(
                f"source {source!r}: none of the first {head.rows} rows of {head.where} can be read "
                f"({head.first_error}); expected {FORMATS}"
            )
        if head.rows == 1 and _is_columns(head.good.value):
            raise SourceError(
                f"source {source!r}: {head.where} holds columns, not rows; write one object a row "
                "(of a data frame: to_json(orient='records', lines=True))"
            )
        for column in head.missing:
            if column in needed or head.typed or _misspelt(column, head, full):
                raise _missing(source, column, head, head.good)


def _is_columns(value: Any) -> bool:
    """Whether an object is a whole table by columns: lists of values of one length, or objects with the same keys."""
    inner = list(value.values()) if isinstance(value, dict) else []
    if len(inner) > 1 and all(isinstance(one, dict) for one in inner):
        return len(inner[0]) > 1 and all(one.keys() == inner[0].keys() for one in inner)
    plain = all(isinstance(one, list) and not any(isinstance(item, dict | list) for item in one) for one in inner)
    return len(inner) > 1 and plain and len(inner[0]) > 1 and len({len(one) for one in inner}) == 1


def _misspelt(column: str, head: Head, heads: Sequence[Head]) -> bool:
    having = [other for other in heads if column not in other.missing]
    return not having or bool(head.names - {name for other in having for name in other.names})


def _missing(source: str, column: str, head: Head, good: RawRow) -> SourceError:
    names = ", ".join(column_names(good.value))
    wrapped = [name for name, inner in good.value.items() if isinstance(inner, list) and inner == _objects(inner)]
    remedy = (
        f"{wrapped[0]!r} holds a list of objects: if these are the rows, write that list alone"
        if wrapped and len(good.value) == 1
        else "If it was renamed, map it in the recipe or use the revision that has it"
    )
    return SourceError(
        f"source {source!r}: {head.where}, row {good.row + 1}: column {column!r} is missing; the row has: {names}. "
        f"{remedy}"
    )


def _objects(items: list[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, dict)]
