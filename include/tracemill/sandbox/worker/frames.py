"""Frames on a byte stream: two little-endian u32 lengths, one JSON object, raw bytes. Nothing is ever unpickled.

Both ends use this file. Lengths are checked before anything is allocated.
"""

import json
import os
import struct
from typing import Any

HEADER = struct.Struct("<II")
MAX_JSON = 4 << 20
MAX_BLOB = 256 << 20
_CHUNK = 1 << 20

to_json = json.JSONEncoder(separators=(",", ":")).encode  # made once: json.dumps makes one per call

Message = tuple[dict[str, Any], bytes]


class FrameError(Exception):
    """The stream does not carry a frame: a length out of range, or JSON that is not an object."""


def pack(message: dict[str, Any], blob: bytes = b"") -> bytes:
    """Return one frame as bytes; raises FrameError when a part is over its limit."""
    text = to_json(message).encode()
    if len(text) > MAX_JSON or len(blob) > MAX_BLOB:
        raise FrameError(f"frame too large: {len(text)} bytes of JSON, {len(blob)} of data")
    return HEADER.pack(len(text), len(blob)) + text + blob


def parse(text: bytes) -> dict[str, Any]:
    """Return the JSON object in `text`, or raise FrameError."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    if type(message) is not dict:
        raise FrameError("not a JSON object")
    return message


def lengths(header: bytes) -> tuple[int, int]:
    """Return (JSON bytes, data bytes) of the frame that `header` opens, or raise FrameError."""
    text, blob = HEADER.unpack(header)
    if text > MAX_JSON or blob > MAX_BLOB:
        raise FrameError(f"frame too large: {text} bytes of JSON, {blob} of data")
    return text, blob


def write_all(fd: int, data: bytes) -> None:
    """Write every byte of `data` to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view[:_CHUNK]) :]


def read_exactly(fd: int, count: int) -> bytes:
    """Read `count` bytes from a blocking descriptor; raises EOFError when the other end is gone."""
    data = bytearray()
    while len(data) < count:
        chunk = os.read(fd, min(_CHUNK, count - len(data)))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def send(fd: int, message: dict[str, Any], blob: bytes = b"") -> None:
    """Write one frame to a blocking descriptor."""
    write_all(fd, pack(message, blob))


def receive(fd: int) -> Message:
    """Read one frame from a blocking descriptor, never a byte beyond it."""
    text, blob = lengths(read_exactly(fd, HEADER.size))
    return parse(read_exactly(fd, text)), read_exactly(fd, blob)


class FrameBuffer:
    """Collects bytes as they arrive and hands out the frames that are complete."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Add `data`; return the frames that it completed. Raises FrameError."""
        self._data += data
        frames: list[Message] = []
        at = 0
        while len(self._data) - at >= HEADER.size:
            text, blob = lengths(bytes(self._data[at : at + HEADER.size]))
            end = at + HEADER.size + text + blob
            if len(self._data) < end:
                break
            body = at + HEADER.size
            frames.append((parse(bytes(self._data[body : body + text])), bytes(self._data[body + text : end])))
            at = end
        del self._data[:at]
        return frames
