"""The worker: a warm interpreter that forks one process per program and never runs a program itself.

Started as pid 1 of its own pid namespace or container. It speaks frames (see frames.py) with the supervisor and ends
when that stream ends, and everything it started with it.
"""

import contextlib
import gc
import io
import json
import mmap
import os
import re
import resource
import signal
import sys
import traceback
from typing import Any

from . import codec, execution, frames, kernel, native, python, serving, testing
from .child import Jail
from .execution import CONTROL

_PRELOAD = (
    *("collections", "heapq", "bisect", "itertools", "functools", "math", "re", "string", "random", "copy", "typing"),
    *("datetime", "statistics", "operator", "json", "fractions", "decimal", "abc", "dataclasses", "enum", "array"),
    *("time", "cmath", "numbers", "contextlib", "types", "traceback", "io", "ast", "inspect"),
)
_COMPILE_CPU_SECONDS = 10.0
_GC_THRESHOLDS = (5000, 20, 20)  # short programs should not pay for collections
_BUILDING = 0
_BUILT = 1
_phase = mmap.mmap(-1, 1)  # shared with the program's process, so that its death can be told apart
_THREAD_STACK = 8 << 20  # as Linux gives it; a program may ask for more
_THREADS = (b"thread", b"concurrent", b"Thread")
_SCRATCH = ("/tmp", "/dev/shm", native.BUILD)
_SCRATCH_MEGABYTES = 64


def _compile(source: bytes, address_space: int) -> Any:
    """Return the code object, or the reason why there is none. A source that defies the compiler ends this process."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (address_space, hard))
    signal.setitimer(signal.ITIMER_PROF, _COMPILE_CPU_SECONDS)
    try:
        return compile(source, "solution.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"[:500]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _warm_patterns(names: list[str]) -> dict[str, re.Pattern[bytes]]:
    return {name: re.compile(rb"^\s*(?:import|from)\s+" + name.encode() + rb"\b", re.MULTILINE) for name in names}


def _warm(source: bytes, patterns: dict[str, re.Pattern[bytes]]) -> None:
    """Import the heavy libraries that the program asks for, once, before its tests are forked."""
    for name, pattern in patterns.items():
        if name.encode() in source and pattern.search(source):
            with contextlib.suppress(ImportError):
                __import__(name)


def _address_space(memory: int) -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + memory


def _written(names: list[str], parts: list[bytes]) -> list[str]:
    """Write each part to a file of its own in /tmp, for a program that takes files as arguments; return their paths."""
    paths = [f"/tmp/{name}" for name in names]
    for path, part in zip(paths, parts, strict=True):
        with open(path, "wb") as file:
            file.write(part)
        os.chmod(path, 0o644)
    return paths


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Tenancy:
    """The life of one program: its process is pid 1 of a pid namespace (or subreaper), with an empty scratch space."""

    def __init__(self, jail: Jail, job: dict[str, Any], blob: bytes, warm: dict[str, re.Pattern[bytes]]) -> None:
        self._jail = jail
        self._job = job
        self._warm = warm
        self._source = blob[: job["source"]]
        self._first = blob[job["source"] :]

    def _isolate(self) -> None:
        if not self._jail.namespaces:
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        if self._job["dirty"]:
            self._clean()
            native.discard(self._jail)

    def _clean(self, program: Any = None) -> None:
        """Give the next run empty directories; one that is empty already stays as it is.

        In namespaces /dev/shm is a link to /tmp, and nobody but a native program has a place to build.
        """
        places = 1 if self._jail.namespaces else 2 if isinstance(program, native.Binary) else 3
        for directory in _SCRATCH[:places]:
            if not os.path.isdir(directory) or not os.listdir(directory):
                continue
            if self._jail.namespaces:
                kernel.unmount(directory)
                kernel.mount_tmpfs(directory, _SCRATCH_MEGABYTES)
            else:
                native.empty(directory)

    def _build(self) -> Any:
        if self._job["native"]:
            return native.build(self._jail, self._source, self._job)
        _warm(self._source, self._warm)
        limits = self._job["limits"]
        limits["address_space"] = _address_space(limits["memory"])
        if any(word in self._source for word in _THREADS):
            limits["resident"] = limits["memory"] + _resident()
            limits["address_space"] += limits["processes"] * _THREAD_STACK
        code = _compile(self._source, limits["address_space"])
        if isinstance(code, str):
            return native.Unbuilt(code, False)
        return python.Program(self._jail, code, self._job)

    def _run(self, program: Any, order: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        parts = []
        at = 0
        for size in order["parts"]:
            parts.append(blob[at : at + size])
            at += size
        mode = order["mode"]
        cap = order["cap"]
        pace = {key: order.get(key) for key in ("each", "rest")}
        program.limits = {**program.limits, "cpu": order["cpu"], **pace}
        if mode in ("tests", "remote_tests"):
            return testing.run(program, parts[0], remote=mode == "remote_tests")
        if mode == "serve":
            return serving.serve(program)
        if mode == "calls":
            return python.run_calls(program, parts[0])
        if mode == "files":
            program.arguments = _written(order["files"], parts)
            parts = [b""]
        if isinstance(program, native.Binary):
            return native.run_alone(program, parts[0], cap)
        return python.run_group(program, parts, cap) if mode == "group" else python.run_alone(program, parts[0], cap)

    def serve(self) -> None:
        """Build the program, then follow run orders until the supervisor closes the program."""
        self._isolate()
        try:
            self._follow_orders()
        finally:
            if self._job["native"]:
                native.discard(self._jail)

    def _follow_orders(self) -> None:
        receive, send = CONTROL
        try:
            program = self._build()
        except native.ToolMissing as error:
            frames.send(send, {"event": "tool_missing", "tool": str(error), "number": self._job["number"]})
            return
        if isinstance(program, native.Unbuilt):
            failure = {"event": "compile_error", "reason": program.reason, "ended": program.ended}
            frames.send(send, {**failure, "number": self._job["number"]})
            return
        _phase[0] = _BUILT
        order = self._job["first"]
        blob = self._first
        if order["mode"] == "serve":
            frames.send(send, {"event": "compiled", "number": self._job["number"]})
        while True:
            if order is not None:
                report, data = self._run(program, order, blob)
                self._clean(program)
                frames.send(send, {"event": "ran", "number": self._job["number"], **report}, data)
            order, blob = frames.receive(receive)
            if order["order"] == "close":
                return
            if order["order"] != "run":  # a message for a child that has ended meanwhile
                order = None


def _own_streams() -> None:
    python.standard_streams()
    raw = open(2, "wb", closefd=False)  # noqa: SIM115 - lives as long as the process
    stderr = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    vars(sys).update(stderr=stderr, __stderr__=stderr)


def _rehearse() -> None:
    """Use once what every program uses, so that caches are filled before the forks and not in each of them."""
    compile("def f(xs):\n    return [x + 1 for x in xs if x] or {}", "rehearsal", "exec", dont_inherit=True)
    frames.parse(frames.pack({"order": "run", "parts": [1], "cpu": 0.5})[frames.HEADER.size :])
    codec.decode(json.loads(json.dumps(codec.encode([(1, 2.5, "x"), {"a": [None]}, {3}]))))
    os.close(execution.memfd(b"x"))


def _prepare(config: dict[str, Any]) -> Jail:
    import _thread
    import site

    sys.path[:] = [entry for entry in sys.path if entry not in ("", config["home"])] + config["site"]
    sys.argv = ["solution.py"]
    site.setquit()
    site.setcopyright()
    site.sethelper()
    for name in (*_PRELOAD, *config["preload"]):
        __import__(name)
    for name in config["optional"]:
        with contextlib.suppress(ImportError):
            testing.find_plugins() if name == "pytest" else __import__(name)
    jail = Jail(config)
    for allow_fork in (False, True):
        jail.filter(allow_fork, False)
    jail.filter(False, "once")
    jail.filter(True, True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.set_int_max_str_digits(0)  # what a long number costs is the program's own time
    python.allow_raised_stacks()
    _thread.stack_size(_THREAD_STACK)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if jail.namespaces:
        kernel.lock_capabilities()
    _rehearse()
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.collect()
    gc.disable()
    gc.freeze()
    return jail


def _serve_program(jail: Jail, job: dict[str, Any], blob: bytes, warm: dict[str, re.Pattern[bytes]]) -> bool:
    """Serve one program to its end; return whether its process may have left scratch files behind."""
    _phase[0] = _BUILDING
    flags = kernel.CLONE_NEWPID if jail.namespaces else 0
    pid = kernel.fork_into(flags) if flags else os.fork()
    if pid == 0:
        try:
            Tenancy(jail, job, blob, warm).serve()
        except EOFError:
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the boundary of the program's process: report, never run on as the worker
            trouble = traceback.format_exc()[-2000:]
            frames.send(CONTROL[1], {"event": "trouble", "reason": trouble, "number": job["number"]})
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    if not jail.namespaces:
        execution.reap_all()
    if status != 0:
        died = {"event": "died", "exit": os.waitstatus_to_exitcode(status), "built": _phase[0] == _BUILT}
        frames.send(CONTROL[1], {**died, "number": job["number"]})
    return status != 0


def main() -> None:
    """Serve programs until the supervisor is gone. The configuration is the last argument, as JSON."""
    config = json.loads(sys.argv[-1])
    if os.getpid() != 1:
        raise SystemExit("sandbox worker: must be pid 1 of its own pid namespace or container")
    _own_streams()
    jail = _prepare(config)
    ready = {"event": "ready", "uid": os.getuid(), "python": sys.version.split()[0]}
    frames.send(CONTROL[1], ready)
    warm = _warm_patterns(config["warm"])
    dirty = False
    try:
        while True:
            job, blob = frames.receive(CONTROL[0])
            if job["order"] == "open":
                job["dirty"] = dirty
                dirty = _serve_program(jail, job, blob, warm)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the supervisor is gone
        os._exit(0)
