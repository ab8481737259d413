"""Reads what a program's process says about itself: result frames, parsed strictly and believed in nothing.

A program can write anything here. The worst it can do is to give a wrong answer, as no expected value is in reach.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

from .worker.codec import CodecError, decode

_LENGTH = struct.Struct("<I")
_FRAME_BYTES = 32 << 20
_RAISED = ("raised", "unimportable", "absent")


def raw_frames(data: bytes) -> Iterator[list[Any]]:
    """Yield the frames up to the first that is cut off or not a JSON list."""
    at = 0
    while at + _LENGTH.size <= len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if size > _FRAME_BYTES or at + size > len(data):
            return
        try:
            frame = json.loads(data[at : at + size])
        except (ValueError, RecursionError):
            return
        if type(frame) is not list:
            return
        at += size
        yield frame


def finished_tests(data: bytes, count: int) -> list[str]:
    """Return the status words of a group's tests in order, up to the first that is missing or out of turn."""
    words: list[str] = []
    for frame in raw_frames(data):
        if len(words) == count or len(frame) != 3 or frame[0] != len(words) or type(frame[1]) is not str:
            break
        words.append(frame[1])
    return words


def finished_calls(data: bytes, count: int) -> list[tuple[str, Any]]:
    """Return (status word, plain value) of the calls in order, up to the first that is missing or out of turn.

    A value that cannot be rebuilt comes as the status "garbled".
    """
    calls: list[tuple[str, Any]] = []
    for frame in raw_frames(data):
        if len(calls) == count or len(frame) != 3 or frame[0] != len(calls) or type(frame[1]) is not str:
            break
        try:
            value = frame[2] if frame[1] in _RAISED else decode(frame[2])
            calls.append((frame[1], value))
        except CodecError:
            calls.append(("garbled", None))
    return calls
