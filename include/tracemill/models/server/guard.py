"""Runs one command and guarantees that nothing of it outlives whoever started this guard, however that one ended.

Started by path with any Python; imports nothing but the standard library:

    guard.py PARENT_PID COMMAND ARGUMENT ...

The guard leaves when its parent dies (Linux PR_SET_PDEATHSIG, and a look every half second), adopts every orphan of the
command (PR_SET_CHILD_SUBREAPER), and before it leaves it ends all of them: SIGTERM, then SIGKILL after `GRACE` seconds.
vLLM's engine processes may outlive its API server when that is killed; here they do not. If the guard itself is killed,
the command gets SIGTERM from the kernel.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class _Told(Exception):
    """Somebody told the guard to end."""


def main(arguments: list[str]) -> int:
    """Run the command to its end and return its exit code (128 + signal); 143 when the guard was told to end."""
    parent = int(arguments[0])
    command = arguments[1:]
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, _told)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    code: int | None = None
    try:
        code = _run(command, parent, lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))
    except _Told:
        code = None
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        end_descendants()
    return 143 if code is None else code if code >= 0 else 128 - code


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell a guard that somebody started to end, and wait for it: it may need GRACE twice. Safe when it has ended."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(2 * GRACE + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str], parent: int, die_with_guard: Callable[[], object]) -> int | None:
    """The command's exit code, or None when the parent was gone first."""
    if os.getppid() != parent:
        return None
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_guard)
    while child.poll() is None and os.getppid() == parent:
        time.sleep(0.5)
    return child.poll()


def _told(_sign: int, _frame: FrameType | None) -> None:
    raise _Told


def end_descendants() -> None:
    """End every process below this one; those that ignore SIGTERM for GRACE seconds are killed."""
    for sign, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        for pid in descendants(os.getpid()):
            _signal(pid, sign)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if _reaped():
                return
            time.sleep(0.05)


def descendants(pid: int) -> Iterator[int]:
    """All processes below a process, from /proc; zombies do not count."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            state = _state(entry)
            if state is not None and state[0] != "Z":
                children.setdefault(state[1], []).append(int(entry.name))
    todo = [pid]
    while todo:
        below = children.get(todo.pop(), [])
        yield from below
        todo += below


def _state(entry: Path) -> tuple[str, int] | None:
    """State letter and parent of a process; None when it is gone. The command's name may hold spaces and brackets."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def _signal(pid: int, sign: int) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _reaped() -> bool:
    """Take leave of every child that has ended; whether none is left, orphans of the command included."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
