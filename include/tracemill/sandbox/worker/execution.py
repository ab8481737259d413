"""Runs one confined child and reports what the kernel saw: how it ended, CPU of it and all its children, idle time."""

import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import Any, Protocol

from .child import EXIT_BROKEN, Jail, confine
from .frames import write_all

CONTROL = (900, 901)  # where the worker reads orders and writes reports
STDERR_TAIL = 4096
Wait = Callable[[int, float], tuple[bool, int, float]]
HARD_WALL = 20  # a starved sleeper is ended after this many times its idle limit
_OOM_COUNTERS = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")


class Watch(Protocol):
    """Looks at a child while it runs; `exceeded` says whether it was ended for its memory."""

    exceeded: bool

    def wait(self, pid: int, idle_limit: float) -> tuple[bool, int, float]:
        """Wait for the child: whether it was ended for idling, its status, its CPU seconds."""
        ...


def memfd(data: bytes = b"") -> int:
    """Return a descriptor of an anonymous file that holds `data`, positioned at its start."""
    fd = os.memfd_create("io", os.MFD_CLOEXEC)
    if data:
        write_all(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _pid_in_proc(descriptor: int) -> str:
    """Return how /proc names the process of a pidfd: its namespace may be another than ours."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        return next(line.split()[1] for line in file if line.startswith("Pid:"))


def _run_delay(pid: int) -> float:
    """Return how long the threads of `pid` waited for a processor, in seconds; 0.0 where the kernel does not say."""
    total = 0
    try:
        descriptor = os.pidfd_open(pid)
        try:
            name = _pid_in_proc(descriptor)
        finally:
            os.close(descriptor)
        for task in os.listdir(f"/proc/{name}/task"):
            with open(f"/proc/{name}/task/{task}/schedstat", "rb") as file:
                total += int(file.read().split()[1])
    except (OSError, IndexError, ValueError, StopIteration):
        return 0.0
    return total / 1e9


def idle_seconds(pid: int, started: float) -> float:
    """Return how long since `started` the process neither ran nor waited for a processor."""
    try:
        cpu = time.clock_gettime((~pid << 3) | 2)
    except OSError:
        cpu = 0.0
    return time.monotonic() - started - cpu - _run_delay(pid)


def _hung_up(events: list[tuple[int, int]]) -> bool:
    """Return False, or end this process and all below it because nobody waits for the result."""
    if any(fd == CONTROL[0] for fd, _ in events):
        reap_all()
        os._exit(0)
    return False


def wait(pid: int, idle_limit: float) -> tuple[bool, int, float]:
    """Wait for `pid`; kill it once it was idle for `idle_limit` seconds. Waiting for a processor is not idleness.

    Returns (killed for idleness, wait status, CPU seconds).
    """
    killed, status, usage = wait_looking(pid, idle_limit, None, idle_limit)
    return killed, status, usage.ru_utime + usage.ru_stime


def wait_looking(
    pid: int, idle_limit: float, look: Callable[[], bool] | None, every: float
) -> tuple[bool, int, resource.struct_rusage]:
    """Wait as `wait` does and return the child's usage; kill it also when `look`, called `every` seconds, says so."""
    started = time.monotonic()
    descriptor = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.register(CONTROL[0], 0)  # a supervisor that is gone hangs up
    left = min(idle_limit, every)
    killed = False
    while not (events := poll.poll(max(1, int(left * 1000)))) or _hung_up(events):
        if look is not None and look():
            os.kill(pid, signal.SIGKILL)
        left = idle_limit - idle_seconds(pid, started)
        if left <= 0 or time.monotonic() - started > HARD_WALL * idle_limit:
            os.kill(pid, signal.SIGKILL)
            killed = True
            left = idle_limit
        left = min(max(left, 0.02), every)
    os.close(descriptor)
    _, status, usage = os.wait4(pid, 0)
    return killed, status, usage


def open_at(path: str, descriptor: int) -> None:
    """Open `path` for reading at `descriptor`, which closes when a program is executed."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(fd, descriptor, inheritable=False)
    os.close(fd)


def reap_all() -> float:
    """Kill and reap everything below this process (pid 1 of its namespace, or subreaper); return their CPU seconds."""
    cpu = 0.0
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return cpu
    while True:
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return cpu
        cpu += usage.ru_utime + usage.ru_stime


def oom_kills(jail: Jail) -> int:
    """Return how often the kernel killed for memory in this container; 0 in namespaces, where the supervisor counts."""
    if jail.namespaces:
        return 0
    for path in _OOM_COUNTERS:
        try:
            with open(path, "rb") as file:
                for line in file:
                    if line.startswith(b"oom_kill "):
                        return int(line.split()[1])
        except OSError:
            continue
    return 0


def fork_confined(
    jail: Jail, limits: dict[str, Any], keep: int, standard: tuple[int, int, int], files: int, main: Callable[[], None]
) -> int:
    """Fork a child that confines itself and calls `main`, which must not return. Returns the child's id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        confine(jail, limits, keep, standard, files)
        main()
    except BaseException as error:  # noqa: BLE001 - the boundary of the child: it must never run on as its parent
        os.write(2, f"sandbox: {error!r}".encode())
    finally:
        os._exit(EXIT_BROKEN)


def outcome(
    jail: Jail, pid: int, idle_limit: float, oom_before: int, wait_for: Wait = wait, watch: "Watch | None" = None
) -> dict[str, Any]:
    """Wait for the child `pid`, remove all it left behind, and report how it ended. `watch` looks at its memory."""
    started = time.monotonic()
    idle, status, cpu = watch.wait(pid, idle_limit) if watch else wait_for(pid, idle_limit)
    cpu += reap_all()
    code = os.waitstatus_to_exitcode(status)
    report = {"exit": code, "idle": idle, "cpu": round(cpu, 4), "wall": round(time.monotonic() - started, 4)}
    if code == -signal.SIGKILL:
        report["oom"] = oom_kills(jail) > oom_before
    if watch and watch.exceeded:
        report["oom"] = True
    return report


def read_output(fd: int, cap: int) -> tuple[int, bytes]:
    """Return (size of the file, its first `cap` bytes)."""
    size = os.fstat(fd).st_size
    return size, os.pread(fd, min(size, cap), 0)


def read_tail(fd: int) -> tuple[int, bytes]:
    """Return (size of the file, its last bytes)."""
    size = os.fstat(fd).st_size
    return size, os.pread(fd, STDERR_TAIL, max(0, size - STDERR_TAIL))
