"""One worker as the supervisor sees it: a stream of frames, and a way to be rid of it."""

import secrets
import socket
from abc import ABC, abstractmethod
from typing import Any

from tracemill.sandbox.worker.frames import FrameBuffer, FrameError, Message, pack

_READ_BYTES = 1 << 20
_SEND_SECONDS = 60.0


_FIRST_UID = 100_000
_UIDS = 1_000_000_000


def fresh_uid() -> int:
    """Return a user id that no other slot has: the kernel counts processes per user, across all slots of a machine."""
    return _FIRST_UID + secrets.randbelow(_UIDS)


class SlotLost(Exception):
    """The worker is gone, does not answer, or answers nonsense. The engine starts a fresh one."""


class Slot(ABC):
    """A started worker with one tenant at a time."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._frames = FrameBuffer()
        stream.settimeout(_SEND_SECONDS)

    def fileno(self) -> int:
        """The descriptor to wait on for reading."""
        return self._stream.fileno()

    def send(self, message: dict[str, Any], blob: bytes = b"") -> None:
        """Send one order; raises SlotLost."""
        try:
            self._stream.sendall(pack(message, blob))
        except OSError as error:
            raise SlotLost(self.last_words() or str(error)) from None

    def read(self) -> list[Message]:
        """Read what has arrived (at least one byte must have) and return complete messages; raises SlotLost."""
        try:
            data = self._stream.recv(_READ_BYTES)
        except OSError as error:
            raise SlotLost(str(error)) from None
        if not data:
            raise SlotLost(self.last_words() or "the worker ended")
        try:
            return self._frames.feed(self.payload(data))
        except FrameError as error:
            raise SlotLost(str(error)) from None

    def wait_for_message(self, seconds: float) -> Message:
        """Return the next message; raises SlotLost when none comes in time."""
        self._stream.settimeout(seconds)
        messages: list[Message] = []
        while not messages:
            messages = self.read()
        self._stream.settimeout(_SEND_SECONDS)
        return messages[0]

    def payload(self, data: bytes) -> bytes:
        """Return the worker's bytes within what the transport delivered."""
        return data

    def oom_kills(self) -> int | None:
        """How often the kernel killed for memory in this slot; None where the worker reports it itself."""
        return None

    @abstractmethod
    def last_words(self) -> str:
        """What the worker said on stderr before it ended."""

    @abstractmethod
    def stop(self) -> None:
        """End the worker and everything it started. May be called twice."""
