"""Looks at the memory that a child and its descendants really hold, and ends the child when it is too much."""

import os

from . import execution

_LOOK_SECONDS = 0.02
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


class Watch:
    """One child's ceiling of resident memory, in bytes; `exceeded` says whether it was ended for it."""

    def __init__(self, ceiling: int) -> None:
        self._ceiling, self.exceeded = ceiling, False

    def _look(self) -> bool:
        self.exceeded = self.exceeded or resident_bytes() > self._ceiling
        return self.exceeded

    def wait(self, pid: int, idle_limit: float) -> tuple[bool, int, float]:
        """Wait for the child as `execution.wait` does; its peak is looked at once more when it has ended."""
        killed, status, usage = execution.wait_looking(pid, idle_limit, self._look, _LOOK_SECONDS)
        self.exceeded = self.exceeded or usage.ru_maxrss << 10 > self._ceiling
        return killed, status, usage.ru_utime + usage.ru_stime
