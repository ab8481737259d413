"""Builds a program with its tool-chain and runs its tests, both confined as any other program.

The supervisor's order names the commands (see languages/); here are the limits. Memory is what the processes hold in
fact, looked at while they run and once more when they have ended: runtimes reserve address space that they never use,
and a limit on that alone says nothing. A wall of address space stands behind it where a runtime leaves room for one.
"""

import glob
import os
import resource
import signal
from typing import Any

from . import execution, kernel, landlock
from .child import Jail
from .compilers import was_ended
from .resident import Watch
from .seccomp import EXEC_ONCE

BUILD = "/build"
_BUILD_MEGABYTES = 256
_BUILD_MEMORY = 640 << 20  # g++ takes 250 MiB for <bits/stdc++.h> and a few templates
_BUILD_WALL = 1 << 30
_COMPILE = {"output": 64 << 20, "processes": 64}
_WALL = 64 << 20  # address space beyond the memory: the program itself and its libraries
_THREADS_WALL = 16 << 30  # a thread reserves a stack as large as the main one may grow
_THREADS = (b"thread", b"async")
_MESSAGE_BYTES = 1 << 16
_FILES = 64
_PATIENCE = 10  # a compiler waits for its own children, a runtime for its files: on a crowded machine that takes long
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}


class ToolMissing(Exception):
    """This sandbox has no tool-chain for the language."""


class Unbuilt:
    """Why there is no program, as the compiler says; `ended`: it was ended before it could tell."""

    def __init__(self, reason: str, ended: bool) -> None:
        self.reason = reason
        self.ended = ended


class Binary:
    """A program that is built, and the rights it was given."""

    def __init__(self, jail: Jail, job: dict[str, Any], command: list[str]) -> None:
        self.jail = jail
        self.limits = job["limits"]
        self.command = command
        self.native: dict[str, Any] = job["native"]
        self.arguments: list[str] = []


def empty(directory: str) -> None:
    """Remove everything in `directory`, links without following them; however deep, no path grows long."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _empty_deep(entry.path)
            else:
                os.unlink(entry.path)


def _empty_deep(directory: str) -> None:
    """Remove `directory`: what lies deeper is moved up, beside it, so that neither paths nor the stack grow."""
    parent = os.path.dirname(directory)
    waiting = [directory]
    moved = 0
    while waiting:
        here = waiting.pop()
        os.chmod(here, 0o700)
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    moved += 1
                    waiting.append(f"{parent}/.{moved}-{os.getpid()}")
                    os.chmod(entry.path, 0o700)
                    os.rename(entry.path, waiting[-1])
                else:
                    os.unlink(entry.path)
        os.rmdir(here)


def discard(jail: Jail) -> None:
    """Leave nothing of a program that was built, neither source nor binary."""
    if not jail.namespaces:
        empty(BUILD)
    elif os.path.ismount(BUILD):
        kernel.unmount(BUILD)


def _tool(patterns: list[str]) -> str | None:
    return next((path for pattern in patterns for path in sorted(glob.glob(pattern))), None)


def _tools(native: dict[str, Any]) -> dict[str, str]:
    """Return the compiler and runtime that the order names; raises ToolMissing."""
    found = {}
    for name, patterns in native["tools"].items():
        if patterns:
            path = _tool(patterns)
            if path is None:
                raise ToolMissing(native["title"])
            found[name] = path
    return found


def _filled(command: list[str], values: dict[str, str]) -> list[str]:
    for name, value in values.items():
        command = [part.replace("{" + name + "}", value) for part in command]
    return command


def _become(jail: Jail, command: list[str], environment: dict[str, str], tools: bool) -> None:
    """Turn this process into `command`, which may start its own tools or nothing at all."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(BUILD if tools else "/tmp")
    if tools:
        landlock.execute_only(landlock.tool_paths(command[0]))
        jail.filter(True, True).install(os.getpid())
        os.execve(command[0], command, environment)
    execution.open_at(command[0], EXEC_ONCE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    jail.filter(False, "once").install(os.getpid())
    os.execve(EXEC_ONCE, command, environment)


def _run(
    jail: Jail, command: list[str], data: bytes, limits: dict[str, Any], cap: int, native: dict[str, Any], tools: bool
) -> tuple[dict[str, Any], bytes]:
    oom = execution.oom_kills(jail)
    standard = (execution.memfd(data), execution.memfd(), execution.memfd())
    environment = {**_ENVIRONMENT, **native["environment"]}
    watch = Watch(limits["resident"])
    main = lambda: _become(jail, command, environment, tools)  # noqa: E731
    pid = execution.fork_confined(jail, limits, 3, standard, EXEC_ONCE + 1, main)
    report = execution.outcome(jail, pid, limits["idle"], oom, watch=watch)
    size, output = execution.read_output(standard[1], cap)
    report["stderr_size"], errors = execution.read_tail(standard[2])
    said = output[-_MESSAGE_BYTES:] + errors
    words = [word.encode() for word in native["memory_words"]]
    report["oom"] = report.get("oom") or (report["exit"] != 0 and any(w in said for w in words))
    report.update(sizes=[size], lengths=[len(output)], stderr=len(errors), results=0, results_size=0)
    for fd in standard:
        os.close(fd)
    return report, output + errors


def build(jail: Jail, source: bytes, job: dict[str, Any]) -> "Binary | Unbuilt":
    """Build `source`; returns the program, or why there is none. Raises ToolMissing."""
    native = job["native"]
    tools = _tools(native)
    discard(jail)
    if jail.namespaces:
        kernel.mount_tmpfs(BUILD, _BUILD_MEGABYTES)
    with open(native["source"], "wb") as file:
        file.write(source)
    os.chmod(native["source"], 0o644)
    if native["build"]:
        seconds = native["build_seconds"]
        limits = {**_COMPILE, "cpu": seconds, "idle": _PATIENCE * seconds, "resident": _BUILD_MEMORY}
        limits["address_space"] = None if native["build_reserves"] else _BUILD_WALL
        report, text = _run(jail, _filled(native["build"], tools), b"", limits, _MESSAGE_BYTES, native, True)
        if report["exit"] != 0:
            said = text.decode("utf-8", "replace")[:2000] or f"the compiler ended with {report['exit']}"
            return Unbuilt(said, was_ended(report, text))
    if jail.namespaces:
        kernel.make_read_only(BUILD)
    megabytes = str(max(16, (job["limits"]["memory"] * 3 // 4) >> 20))
    program = Binary(jail, job, _filled(native["run"], {**tools, "memory": megabytes}))
    limits = program.limits
    limits["resident"] = limits["memory"] + native["memory"]
    wall = limits["memory"] + (_THREADS_WALL if any(word in source for word in _THREADS) else _WALL)
    limits["address_space"] = None if native["reserves"] else wall
    limits["processes"] += native["tasks"]
    limits["idle"] += _PATIENCE * native["start"]
    return program


def run_alone(program: Binary, data: bytes, cap: int) -> tuple[dict[str, Any], bytes]:
    """Run one input in a process of its own; what the runtime's start costs is not charged."""
    start = program.native["start"]
    limits = {**program.limits, "cpu": program.limits["cpu"] + start}
    command = [*program.command, *program.arguments]
    report, data = _run(program.jail, command, data, limits, cap, program.native, False)
    report["cpu"] = round(max(0.0, report["cpu"] - start), 4)
    return report, data
