"""Runs a command as an ordinary user who can reach the interpreter and this checkout, wherever they lie.

A developer's interpreter often lies in root's closed home. In a mount namespace of its own, which nobody else sees, the
closed directories are covered with open ones that show what the command needs and nothing else. Needs root.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tracemill.sandbox.worker import kernel

USER = 54_321


def _closed_above(path: Path) -> Path | None:
    """Return the topmost directory above `path` that others may not enter."""
    for above in reversed(path.parents):
        if not above.stat().st_mode & 0o001:
            return above
    return None


def _open_up(paths: Iterable[Path]) -> None:
    needed: dict[Path, dict[Path, int]] = {}
    for path in paths:
        closed = _closed_above(path)
        if closed is not None:
            needed.setdefault(closed, {})[path] = os.open(path, os.O_PATH)
    for closed, shown in needed.items():
        kernel.mount("tmpfs", str(closed), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
        for path, descriptor in shown.items():
            path.mkdir(parents=True, exist_ok=True)
            kernel.mount(f"/proc/self/fd/{descriptor}", str(path), None, kernel.MS_BIND | kernel.MS_REC)


def main() -> None:
    """Become the user and the command of argv[1] (JSON: paths, command, environment)."""
    wanted = json.loads(sys.argv[1])
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    _open_up(map(Path, wanted["paths"]))
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)
    os.chdir("/tmp")
    os.execve(wanted["command"][0], wanted["command"], wanted["environment"])


if __name__ == "__main__":
    main()
