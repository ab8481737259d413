"""Reads one JSON value as it was written: integers exact at any size, and what JSON does not allow told apart."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_COUNTED = 4000  # digits of an integer that Python turns into a number and back
_NOT_FINITE = re.compile(rb"[:,\[\s](?:NaN|-?Infinity)\b")


def decoded(line: bytes) -> Any:
    """The JSON value, integers exact at any size (orjson alone rounds those beyond 64 bits to floats).

    Raises json.JSONDecodeError. An integer of more digits than Python counts with comes as its text. A bare NaN, which
    Python's own writer leaves in JSON for what is missing, is read as the number.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if "infinity" not in str(error) and _NOT_FINITE.search(line) is None:
            raise
        return _exact(line)
    return _exact(line) if _may_be_rounded(value) else value


def _exact(line: bytes) -> Any:
    try:
        value = json.loads(line, parse_int=whole)
        json.dumps(value, ensure_ascii=False).encode()  # the standard library lets half a surrogate pair pass
    except RecursionError as error:
        raise json.JSONDecodeError("nested too deeply", "", 0) from error
    except UnicodeError as error:
        raise json.JSONDecodeError("half a surrogate pair", "", 0) from error
    return value


def whole(digits: str) -> int | str:
    """The integer of these digits; of more than Python counts with, the digits themselves."""
    return int(digits) if len(digits) <= _COUNTED else digits


def _may_be_rounded(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_may_be_rounded(item) for item in value.values())
    if isinstance(value, list):
        return any(_may_be_rounded(item) for item in value)
    return isinstance(value, float) and abs(value) >= 2.0**63
