"""Carries a child's conversation to the supervisor and back while the child runs, and times only the child's turns."""

import os
import select
import signal
import socket
import struct
import time
from typing import Any

from . import frames
from .execution import CONTROL, HARD_WALL, idle_seconds, reap_all
from .peer import MESSAGE_BYTES
from .resident import cpu_of

_LENGTH = struct.Struct("<I")
_READ = 1 << 18
_LOOK_MS = 250


class Relay:
    """The worker's end of a child's stream. `busy` tells whose turn it is; only the child's own idleness counts.

    `each`: CPU seconds that the child may use in one turn.
    """

    def __init__(self, stream: socket.socket, busy: bool, each: float | None = None) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self.busy = busy
        self._each = each
        self.ended = self._slow = False
        self._turns = 0

    def _from_child(self) -> None:
        try:
            data = self._stream.recv(_READ)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return
        self._incoming += data
        while len(self._incoming) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._incoming)
            if size > MESSAGE_BYTES:
                self.ended = True
                return
            if len(self._incoming) < _LENGTH.size + size:
                return
            message = bytes(self._incoming[: _LENGTH.size + size])
            del self._incoming[: len(message)]
            self.busy = False
            self._turns += 1
            frames.send(CONTROL[1], {"event": "relay"}, message)

    def _from_supervisor(self) -> None:
        order, blob = frames.receive(CONTROL[0])
        if order["order"] == "relay":
            self._outgoing += blob
            self.busy = True
            self._turns += 1
        else:
            self.ended = True

    def _to_child(self) -> None:
        try:
            del self._outgoing[: self._stream.send(self._outgoing)]
        except OSError:
            self.ended = True

    def _step(self, events: list[tuple[int, int]]) -> None:
        for fd, mask in events:
            if fd == CONTROL[0]:
                if not mask & select.POLLIN:
                    reap_all()
                    os._exit(0)
                self._from_supervisor()
            elif fd == self._stream.fileno():
                if mask & select.POLLOUT:
                    self._to_child()
                if mask & (select.POLLIN | select.POLLHUP):
                    self._from_child()

    def wait(self, pid: int, idle_limit: float) -> tuple[bool, int, float]:
        """Relay until the child ends or its conversation is over; returns as execution.wait does."""
        descriptor = os.pidfd_open(pid)
        poll = select.poll()
        for fd in (descriptor, CONTROL[0]):
            poll.register(fd, select.POLLIN)
        killed = self._converse(poll, descriptor, pid, idle_limit)
        os.close(descriptor)
        self._stream.close()
        _, status, usage = os.wait4(pid, 0)
        return killed, int(signal.SIGXCPU) if self._slow else status, usage.ru_utime + usage.ru_stime

    def _is_slow(self, pid: int, turn: tuple[int, float]) -> tuple[int, float]:
        """Look at the child's CPU time; returns the turn that it is in and what it had used at its begin."""
        used = cpu_of(pid)
        if turn[0] != self._turns:
            return self._turns, used
        self._slow = self._each is not None and used - turn[1] > self._each
        return turn

    def _converse(self, poll: Any, descriptor: int, pid: int, idle_limit: float) -> bool:
        started = turn = time.monotonic()
        used = idle_seconds(pid, turn)
        was_busy = self.busy
        place = (0, 0.0)
        while True:
            listening = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
            if not self.ended:
                poll.register(self._stream.fileno(), listening)
            events = poll.poll(max(20, min(_LOOK_MS, int(idle_limit * 250))))
            if any(fd == descriptor for fd, _ in events):
                return False
            self._step(events)
            if self.ended:
                return self._last_words(poll, descriptor, pid)
            now = time.monotonic()
            if self.busy and not was_busy:
                turn = now
                used = idle_seconds(pid, now)
            was_busy = self.busy
            place = self._is_slow(pid, place)
            idle = idle_seconds(pid, turn) - used if self.busy else 0.0
            if self._slow:
                os.kill(pid, signal.SIGKILL)
                return False
            if idle > idle_limit or now - started > HARD_WALL * idle_limit:
                os.kill(pid, signal.SIGKILL)
                return True

    def _last_words(self, poll: Any, descriptor: int, pid: int) -> bool:
        """The conversation is over: let the child end by itself for a moment, then end it."""
        poll.unregister(self._stream.fileno())
        poll.unregister(CONTROL[0])
        self._stream.shutdown(socket.SHUT_RDWR)
        if not poll.poll(1000):
            os.kill(pid, signal.SIGKILL)
        return False
