"""Compiles a C++ program and runs its tests, both confined as any other program."""

import os
import signal
from typing import Any

from . import execution, kernel
from .child import Jail

BUILD = "/build"
_BUILD_MEGABYTES = 256
_COMPILE = {"cpu": 30.0, "idle": 30.0, "output": 64 << 20, "processes": 64}
_SMALL_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
_COMMAND = ["/usr/bin/g++", "-O2", "-std=c++17", "-pipe", "-w", "-o", f"{BUILD}/solution", f"{BUILD}/solution.cpp"]


class Binary:
    """A compiled program and the rights it was given."""

    def __init__(self, jail: Jail, job: dict[str, Any]) -> None:
        self.jail, self.limits, self.path = jail, job["limits"], f"{BUILD}/solution"


def empty(directory: str) -> None:
    """Remove everything in `directory`, links without following them."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)
                empty(entry.path)
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)


def discard(jail: Jail) -> None:
    """Leave nothing of a program that was built, neither source nor binary."""
    if not jail.namespaces:
        empty(BUILD)
    elif os.path.ismount(BUILD):
        kernel.unmount(BUILD)


def _execute(jail: Jail, command: list[str], allow_fork: bool) -> None:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.chdir("/tmp")
    jail.filter(allow_fork, True).install(os.getpid())
    os.execve(command[0], command, _SMALL_ENVIRONMENT)


def _run(
    jail: Jail, command: list[str], data: bytes, limits: dict[str, Any], cap: int, allow_fork: bool
) -> tuple[dict[str, Any], bytes]:
    oom = execution.oom_kills(jail)
    standard = (execution.memfd(data), execution.memfd(), execution.memfd())
    pid = execution.fork_confined(jail, limits, 3, standard, 64, lambda: _execute(jail, command, allow_fork))
    report = execution.outcome(jail, pid, limits["idle"], oom)
    size, output = execution.read_output(standard[1], cap)
    report["stderr_size"], errors = execution.read_tail(standard[2])
    report.update(sizes=[size], lengths=[len(output)], stderr=len(errors), results=0, results_size=0)
    for fd in standard:
        os.close(fd)
    return report, output + errors


def build(jail: Jail, source: bytes, job: dict[str, Any]) -> "Binary | str":
    """Compile `source`; returns the binary, or the reason why there is none."""
    if not os.path.exists(_COMMAND[0]):
        raise FileNotFoundError(f"no C++ compiler at {_COMMAND[0]} inside the sandbox")
    discard(jail)
    if jail.namespaces:
        kernel.mount_tmpfs(BUILD, _BUILD_MEGABYTES)
    with open(f"{BUILD}/solution.cpp", "wb") as file:
        file.write(source)
    os.chmod(f"{BUILD}/solution.cpp", 0o644)
    report, text = _run(jail, _COMMAND, b"", {**_COMPILE, "memory": job["limits"]["memory"]}, 1 << 16, True)
    if report["exit"] != 0:
        return text.decode("utf-8", "replace")[:2000] or f"the compiler ended with {report['exit']}"
    if jail.namespaces:
        kernel.make_read_only(BUILD)
    return Binary(jail, job)


def run_alone(program: Binary, data: bytes, cap: int) -> tuple[dict[str, Any], bytes]:
    """Run one input in a process of its own."""
    return _run(program.jail, [program.path], data, program.limits, cap, False)
