"""Reads named columns of one native row, and says exactly what is wrong when a value is not what it should be.

A column name may be a path with dots (`extra_info.index`): a nested field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tracemill.sources.base import RowError

_MISSING = object()


def column_names(value: Mapping[str, Any]) -> list[str]:
    """The row's top-level columns."""
    return [str(name) for name in value]


def has_column(value: Mapping[str, Any], column: str) -> bool:
    """Whether the row has that column, or nested field (a null parent counts: its fields are unknown)."""
    if column in value:
        return True
    head, dot, rest = column.partition(".")
    inner = value.get(head, _MISSING)
    return bool(dot) and (inner is None or (isinstance(inner, Mapping) and has_column(inner, rest)))


def column(value: Mapping[str, Any], name: str) -> Any:
    """The column's value, None where it (or its parent) is null. Raises RowError when it is missing."""
    if name in value:
        return value[name]
    head, dot, rest = name.partition(".")
    inner = value.get(head, _MISSING)
    if dot and inner is None:
        return None
    if dot and isinstance(inner, Mapping):
        return column(inner, rest)
    raise RowError("missing_column", f"column {name!r} is missing; the row has: {', '.join(column_names(value))}")


def text(value: Mapping[str, Any], name: str) -> str:
    """A text that must be there. Raises RowError when it is null or no text."""
    found = optional_text(value, name)
    if found is None:
        raise RowError("null_value", f"column {name!r} is null")
    return found


def optional_text(value: Mapping[str, Any], name: str) -> str | None:
    """A text, a number as its shortest text, or None for null. Raises RowError for lists and objects."""
    found = column(value, name)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool | int | float):
        return orjson.dumps(found).decode()
    raise RowError("bad_value", f"column {name!r} should be a text, is {type(found).__name__}: {_short(found)}")


def items(value: Mapping[str, Any], name: str) -> list[Any]:
    """A list, [] for null. Raises RowError for anything else."""
    found = column(value, name)
    if found is None:
        return []
    if isinstance(found, list | tuple):
        return list(found)
    raise RowError("bad_value", f"column {name!r} should be a list, is {type(found).__name__}: {_short(found)}")


def same_length(value: Mapping[str, Any], *names: str) -> Iterator[tuple[Any, ...]]:
    """Lists that run in parallel, item by item. Raises RowError when their lengths differ."""
    columns = [items(value, name) for name in names]
    if len({len(found) for found in columns}) > 1:
        lengths = ", ".join(f"{name} {len(found)}" for name, found in zip(names, columns, strict=True))
        raise RowError("bad_value", f"lists that belong together differ in length: {lengths}")
    return zip(*columns, strict=True)


def mapping(value: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """An object, or a JSON text of one; None for null or "". Raises RowError for anything else."""
    found = column(value, name)
    if found is None or found == "":
        return None
    if isinstance(found, str):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError as error:
            raise RowError("bad_value", f"column {name!r} should be a JSON object: {error}: {_short(found)}") from error
    if not isinstance(found, Mapping):
        raise RowError("bad_value", f"column {name!r} should be an object, is {type(found).__name__}: {_short(found)}")
    return {str(key): item for key, item in found.items()}


def boolean(value: Any, name: str) -> bool | None:
    """A verdict: true, false, null, or the words that data sets use for them. Raises RowError for anything else."""
    if value is None or isinstance(value, bool):
        return value
    words = {"true": True, "pass": True, "1": True, "false": False, "fail": False, "0": False, "": None, "none": None}
    key = str(value).strip().lower()
    if key in words:
        return words[key]
    raise RowError("bad_value", f"column {name!r} should be true, false or null, is {_short(value)}")


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
