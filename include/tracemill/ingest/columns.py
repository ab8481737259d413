"""Reads named columns of one native row, and says exactly what is wrong when a value is not what it should be.

A column name may be a path with dots: a nested field (`extra_info.index`), also of JSON text, or a place in a list
(`messages.0.info.reference_answer`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from typing import Any

from tracemill.ingest.exact_json import decoded
from tracemill.ingest.scalars import scalar_text, shown
from tracemill.ingest.source import RowError

_MISSING = object()


def column_names(value: Mapping[str, Any]) -> list[str]:
    """The row's top-level columns."""
    return [str(name) for name in value]


def has_column(value: Mapping[str, Any], column: str) -> bool:
    """Whether the row has that column, or nested field (a null parent counts: its fields are unknown)."""
    if column in value:
        return True
    head, dot, rest = column.partition(".")
    inner = _inside(value.get(head, _MISSING), rest) if dot else _MISSING
    return inner is None or (isinstance(inner, Mapping) and has_column(inner, rest))


def column(value: Mapping[str, Any], name: str) -> Any:
    """The column's value, None where it (or its parent) is null, or NaN, as a data frame writes what is missing.

    Raises RowError when the row lacks the column.
    """
    if name in value:
        found = value[name]
        return None if isinstance(found, float) and isnan(found) else found
    head, dot, rest = name.partition(".")
    inner = _inside(value.get(head, _MISSING), rest) if dot else _MISSING
    if inner is None:
        return None
    if isinstance(inner, Mapping):
        return column(inner, rest)
    raise RowError("missing_column", f"column {name!r} is missing; the row has: {', '.join(column_names(value))}")


def _inside(parent: Any, rest: str) -> Any:
    """What a path goes on in: an object, or the JSON text of one; of a list the place that `rest` begins with.

    A place beyond the end of a list is there, and null.
    """
    if isinstance(parent, str) and parent.lstrip()[:1] in ("{", "["):
        try:
            parent = decoded(parent.encode())
        except (json.JSONDecodeError, UnicodeEncodeError):
            return _MISSING
    if not isinstance(parent, list | tuple):
        return parent
    place = rest.partition(".")[0]
    return dict.fromkeys([place], dict(enumerate(parent)).get(int(place))) if place.isdecimal() else _MISSING


def text(value: Mapping[str, Any], name: str) -> str:
    """A text that must be there; blank text as it is. Raises RowError when it is null or has no one text."""
    found = column(value, name)
    written = found if isinstance(found, str) else scalar_text(found, name)
    if written is None:
        raise RowError("null_value", f"column {name!r} is null")
    return written


def optional_text(value: Mapping[str, Any], name: str | None) -> str | None:
    """A value as text (see `scalar_text`); None for null and blank, and where the row lacks the column or has no name
    for it. Raises RowError for lists and objects.
    """
    if name is None or not has_column(value, name):
        return None
    return scalar_text(column(value, name), name)


def own_id(value: Mapping[str, Any], name: str | None) -> str:
    """The source's own id of the row, "" where there is none that can be read: it decides nothing."""
    try:
        return optional_text(value, name) or ""
    except RowError:
        return ""


def number(value: Mapping[str, Any], name: str) -> float | None:
    """A measure that is a number or the text of one; None for anything else: labels stay where they are."""
    try:
        found = float(optional_text(value, name) or "nan")
    except (RowError, ValueError):
        return None
    return found if isfinite(found) else None


def difficulty(value: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """The fields of a SourceRow that say how hard a problem is: a number is a score, a word a label.

    A negative number (DeepMath's -1.0) says that nobody knows.
    """
    written = optional_text(value, name)
    score = number(value, name) if name else None
    if score is None:
        return {"difficulty": written}
    return {"difficulty_score": score} if score >= 0 else {}


def items(value: Mapping[str, Any], name: str) -> list[Any]:
    """A list, [] for null. Raises RowError for anything else."""
    found = column(value, name)
    if found is None:
        return []
    if isinstance(found, list | tuple):
        return list(found)
    raise RowError("bad_value", f"column {name!r} should be a list, is {type(found).__name__}: {shown(found)}")


def same_length(value: Mapping[str, Any], *names: str) -> Iterator[tuple[Any, ...]]:
    """Lists that run in parallel, item by item. Raises RowError when their lengths differ."""
    columns = [items(value, name) for name in names]
    if len({len(found) for found in columns}) > 1:
        lengths = ", ".join(f"{name} {len(found)}" for name, found in zip(names, columns, strict=True))
        raise RowError("bad_value", f"lists that belong together differ in length: {lengths}")
    return zip(*columns, strict=True)


def parsed(value: Mapping[str, Any], name: str) -> Any:
    """A value, or what its JSON text says; None for null and blank. Raises RowError for text that is no JSON."""
    found = column(value, name)
    if not isinstance(found, str):
        return found
    if not found.strip():
        return None
    try:
        return decoded(found.encode())
    except (json.JSONDecodeError, UnicodeEncodeError) as error:
        raise RowError("bad_value", f"column {name!r} should be JSON: {error}: {shown(found)}") from error


def mapping(value: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """An object, or a JSON text of one; None for null or "". Raises RowError for anything else."""
    found = parsed(value, name)
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise RowError("bad_value", f"column {name!r} should be an object, is {type(found).__name__}: {shown(found)}")
    return {str(key): item for key, item in found.items()}


_WORDS: dict[str | None, bool | None] = {
    **dict.fromkeys(("true", "pass", "1", "1.0"), True),
    **dict.fromkeys(("false", "fail", "0", "0.0"), False),
    **dict.fromkeys((None, "none", "nan", "null"), None),
}


def boolean(value: Any, name: str) -> bool | None:
    """A verdict: true, false, null, or the words and numbers that data sets use. Raises RowError for anything else."""
    written = scalar_text(value, name)
    key = written.strip().lower() if written else None
    if key in _WORDS:
        return _WORDS[key]
    raise RowError("bad_value", f"column {name!r} should be true, false or null, is {shown(value)}")
