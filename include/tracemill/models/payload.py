"""Writes and reads the JSON of requests and answers: fast where it is clean, lenient where servers are not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson


def encoded(body: Mapping[str, Any]) -> bytes:
    """A request's body as JSON; halves of characters (lone surrogates) in it become U+FFFD."""
    try:
        return orjson.dumps(body)
    except TypeError:
        text = json.dumps(body, ensure_ascii=False)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def decoded(body: bytes) -> Any:
    """A response as data, or its text when it is not JSON (a proxy's error page).

    Python's own reader has the second word: it knows NaN and lone surrogates, which servers send and orjson refuses.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8-sig", "replace")  # some proxies begin with a byte order mark
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
