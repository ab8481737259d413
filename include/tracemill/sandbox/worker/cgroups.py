"""One control group per slot: a ceiling on memory and tasks that the slot's processes inherit and cannot leave."""

import os
import time

_ROOT = "/sys/fs/cgroup"
_REMOVE_SECONDS = 3.0  # on a busy machine the last process of a group took over one


def _write(path: str, value: int | str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def _write_if_there(path: str, value: int | str) -> None:
    if os.path.exists(path):
        _write(path, value)


def directories(name: str) -> list[str]:
    """Return where the group `name` lies: one directory under cgroup v2, one per controller under v1."""
    if os.path.exists(f"{_ROOT}/cgroup.controllers"):
        return [f"{_ROOT}/{name}"]
    return [f"{_ROOT}/{controller}/{name}" for controller in ("memory", "pids")]


def _enable_controllers() -> None:
    path = f"{_ROOT}/cgroup.subtree_control"
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            enabled = file.read().split()
        for controller in ("memory", "pids"):
            if controller not in enabled:
                _write(path, f"+{controller}")


def create(name: str, memory: int, tasks: int) -> list[str]:
    """Create the group with its ceilings (bytes, tasks) and return its directories; empty where that is not allowed."""
    made: list[str] = []
    try:
        _enable_controllers()
        for path in directories(name):
            os.mkdir(path)
            made.append(path)
            _set_ceilings(path, memory, tasks)
    except OSError:
        remove(made)
        return []
    return made


def _set_ceilings(path: str, memory: int, tasks: int) -> None:
    if path.endswith(f"/pids/{os.path.basename(path)}"):
        _write(f"{path}/pids.max", tasks)
        return
    if os.path.exists(f"{path}/memory.limit_in_bytes"):
        _write(f"{path}/memory.limit_in_bytes", memory)
        _write_if_there(f"{path}/memory.memsw.limit_in_bytes", memory)
        return
    _write(f"{path}/memory.max", memory)
    _write_if_there(f"{path}/memory.swap.max", 0)
    _write(f"{path}/pids.max", tasks)


def join(made: list[str]) -> None:
    """Move this process into the group."""
    for path in made:
        _write(f"{path}/cgroup.procs", 0)


def remove(made: list[str]) -> None:
    """Remove the group's directories; its last process may take a moment to be gone."""
    end = time.monotonic() + _REMOVE_SECONDS
    for path in made:
        while os.path.isdir(path):
            try:
                os.rmdir(path)
            except OSError:
                if time.monotonic() > end:
                    break
                time.sleep(0.005)


def oom_kills(name: str) -> int:
    """Return how many processes of the group were killed for memory so far; 0 when there is no group."""
    for path in directories(name):
        for counter in ("memory.oom_control", "memory.events"):
            try:
                with open(f"{path}/{counter}", encoding="ascii") as file:
                    for line in file:
                        if line.startswith("oom_kill "):
                            return int(line.split()[1])
            except OSError:
                continue
    return 0
