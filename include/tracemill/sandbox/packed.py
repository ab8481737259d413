"""Reads LiveCodeBench's packed tests: base64 around zlib around a pickled text, without unpickling anything.

The pickle is read by its opcodes: it must push one string and stop. Whatever else it says is refused, so that no code
of a dataset ever runs. Sizes are bounded before anything is inflated.
"""

import base64
import binascii
import json
import pickletools
import zlib
from typing import Any

from tracemill.sandbox.comparators import SuiteError

_MAX_BYTES = 32 << 20
_TEXT = frozenset({"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_HARMLESS = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"})


def unpacked(text: str) -> Any:
    """Return the tests that packed `text` holds, or `text` itself where it is not packed. Raises SuiteError."""
    data = _inflated(text)
    if data is None:
        return text
    try:
        return json.loads(_only_string(data))
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"packed tests hold no JSON: {error}") from None


def _inflated(text: str) -> bytes | None:
    """Return what base64 around zlib holds; None where `text` is not that at all."""
    if len(text) > 2 * _MAX_BYTES or not text.isascii():
        return None
    try:
        packed = base64.b64decode(text.strip(), validate=True)
        inflate = zlib.decompressobj()
        data = inflate.decompress(packed, _MAX_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        return None
    if inflate.unconsumed_tail:
        raise SuiteError(f"packed tests hold more than {_MAX_BYTES} bytes")
    if not inflate.eof:
        raise SuiteError("packed tests are cut off")
    return data


def _only_string(data: bytes) -> str:
    """Return the text that a pickle consists of; text that is not pickled is returned as it is."""
    if data[:1] in (b"[", b"{"):
        return data.decode()
    found: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name in _TEXT:
                found.append(str(argument))
            elif operation.name not in _HARMLESS:
                raise SuiteError(f"packed tests are a pickle with {operation.name}: more than one text")
    except (ValueError, IndexError) as error:
        raise SuiteError(f"packed tests are no pickle: {str(error)[:200]}") from None
    if len(found) != 1:
        raise SuiteError(f"packed tests are a pickle of {len(found)} texts")
    return found[0]
