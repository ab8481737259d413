"""Looks at what a child and its descendants use while they run, and ends the child when it is too much."""

import os
import signal
import time

from . import execution

_LOOK_SECONDS = 0.02
_PACE_SECONDS = 0.2
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Return the resident memory of all processes of this slot but the worker's own."""
    own = {"1", os.readlink("/proc/self")}
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name not in own:
            try:
                with open(f"/proc/{name}/statm", "rb") as file:
                    total += int(file.read().split()[1]) * _PAGE
            except (OSError, IndexError, ValueError):  # it has ended meanwhile
                continue
    return total


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that the process itself has used; 0.0 once it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


class Pace:
    """How many CPU seconds a child may use between two results, or (`rest`) behind its first.

    Results are counted by the size of their file. Before the first one the kernel's limit alone holds for `rest`.
    """

    def __init__(self, results: int, each: float | None, rest: float | None) -> None:
        self._results = results
        self._each = each
        self._rest = rest
        self._size = 0
        self._since = 0.0
        self._seen = False
        self.exceeded = False

    def over(self, pid: int) -> bool:
        """Look once; return whether the child has used more than it may."""
        used = cpu_of(pid)
        size = os.fstat(self._results).st_size
        if size != self._size and (self._each is not None or not self._seen):
            self._size = size
            self._since = used
            self._seen = True
            return False
        allowed = self._each if self._each is not None else self._rest if self._seen else None
        self.exceeded = allowed is not None and used - self._since > allowed
        return self.exceeded


class Watch:
    """One child's ceiling of resident bytes, and its pace; `exceeded` says whether it was ended for its memory."""

    def __init__(self, ceiling: int | None, pace: Pace | None = None) -> None:
        self._ceiling = ceiling
        self.pace = pace
        self.exceeded = False

    def _look(self, pid: int) -> bool:
        self.exceeded = self.exceeded or (self._ceiling is not None and resident_bytes() > self._ceiling)
        return self.exceeded or (self.pace is not None and self.pace.over(pid))

    def wait(self, pid: int, idle_limit: float) -> tuple[bool, int, float]:
        """Wait for the child as `execution.wait` does; its peak is looked at once more when it has ended."""
        every = _PACE_SECONDS if self._ceiling is None else _LOOK_SECONDS
        killed, status, usage = execution.wait_looking(pid, idle_limit, lambda: self._look(pid), every)
        self.exceeded = self.exceeded or (self._ceiling is not None and usage.ru_maxrss << 10 > self._ceiling)
        return killed, self._status(status), usage.ru_utime + usage.ru_stime

    def _status(self, status: int) -> int:
        """A child that was ended for its pace ended for its CPU time."""
        return int(signal.SIGXCPU) if self.pace is not None and self.pace.exceeded else status
