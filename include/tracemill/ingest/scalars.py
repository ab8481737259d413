"""One text for one value, whichever reader it came from: JSON, Parquet, or a data frame that somebody wrote."""

from __future__ import annotations

import datetime
import math
import numbers
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from tracemill.ingest.source import RowError

_INFINITE = float("inf")
_MIDNIGHT = datetime.time()
_WRITTEN_OUT = 400  # digits: decimals of a larger exponent keep it, so that 1E+999999 is no megabyte of zeros


def scalar_text(value: Any, name: str) -> str | None:
    """The value as it was written; None for null, NaN, NaT and blank text.

    Integers of any size keep all digits, decimals their zeros, dates are ISO 8601 (a time stamp at midnight without a
    zone is its date: that is how data frames keep dates), bytes are UTF-8. Raises RowError for what has no one text:
    lists, objects, durations, infinities (a number that did not fit), bytes that are no UTF-8. `name`: the column.
    """
    plain = _plain(value)
    if plain is None or isinstance(plain, str):
        return plain if plain and not plain.isspace() else None
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, bytes | bytearray | memoryview):
        return scalar_text(_decoded(bytes(plain), name), name)
    if isinstance(plain, datetime.date | datetime.time):
        return _moment(plain)
    if isinstance(plain, Decimal | numbers.Real) and not isinstance(plain, np.generic):
        return _number(plain, name, str(value) if plain is not value else None)
    if isinstance(plain, uuid.UUID):
        return str(plain)
    raise RowError("bad_value", f"column {name!r} should be a text, is {type(value).__name__}: {shown(value)}")


def shown(value: Any) -> str:
    """A value for a message, cut to 80 characters; never fails, whatever the value is."""
    try:
        text = repr(value[:80] if isinstance(value, str | bytes | list) else value)
    except ValueError:
        return "a number of more digits than can be shown"
    return text if len(text) <= 80 else text[:77] + "..."


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own; dates and times, whose numbers mean nothing alone, stay what they are."""
    if not isinstance(value, np.generic):
        return value
    if value.dtype.kind in "mM":
        return None if np.isnat(value) else value
    return value.item()


def _number(value: Any, name: str, written: str | None) -> str | None:
    """`written`: how a number of another width writes itself, so that a 32-bit 0.1 is not 0.10000000149011612."""
    if isinstance(value, numbers.Integral):
        return format(Decimal(int(value)), "f")  # str() refuses more than 4,300 digits
    nan = value.is_nan() if isinstance(value, Decimal) else math.isnan(value)
    if nan:
        return None
    if not isinstance(value, Decimal | float) or value in (_INFINITE, -_INFINITE):
        raise RowError("bad_value", f"column {name!r} should be a text or a number, is {shown(value)}")
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < _WRITTEN_OUT else str(value)
    return written or orjson.dumps(float(value)).decode()


def _moment(value: datetime.date | datetime.time) -> str | None:
    if value != value:  # pandas.NaT is a datetime that equals nothing
        return None
    if isinstance(value, datetime.datetime):
        whole_day = value.time() == _MIDNIGHT and value.tzinfo is None and not getattr(value, "nanosecond", 0)
        return value.date().isoformat() if whole_day else value.isoformat(sep=" ")
    return value.isoformat()


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("bad_utf8", f"column {name!r} is not UTF-8 at byte {error.start}: {error.reason}") from error
