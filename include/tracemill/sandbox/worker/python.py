"""Runs a Python program's tests in children forked from the warm interpreter: stdin/stdout groups and calls.

A group is many tests in one child, each with descriptors and a `__main__` of its own. What a group reports is
advisory: the supervisor accepts an output that is right, and runs a test alone before it says that it failed.
"""

import builtins
import gc
import io
import json
import os
import resource
import struct
import sys
import time
from types import CodeType, ModuleType
from typing import Any

from . import child, codec, execution
from .child import Jail
from .frames import to_json
from .prelude import NODE_BUILDERS, prelude_builtins
from .resident import Pace, Watch

_FIRST = 3  # control descriptors lie far above, so a child's own start right after stderr
_LENGTH = struct.Struct("<I")
RESULT_BYTES = 32 << 20
PRELUDE = prelude_builtins()


class Program:
    """A compiled Python program and the rights it was given."""

    def __init__(self, jail: Jail, code: CodeType, job: dict[str, Any]) -> None:
        self.jail = jail
        self.code = code
        self.limits = job["limits"]
        self.builtins: Any = PRELUDE if job.get("prelude") else builtins.__dict__
        self.filter = jail.filter(bool(job.get("fork")), False)
        self.arguments: list[str] = []

    def module(self, name: str) -> ModuleType:
        """Return a fresh module `name`, as `sys.modules` holds it, to run the program in."""
        module = ModuleType(name)
        module.__dict__["__builtins__"] = self.builtins
        sys.modules[name] = module
        return module

    def watch(self, results: int | None = None) -> Watch | None:
        """Return what looks at a run, if anything need: its pace, and the memory of a program with threads.

        (Their stacks need room that it must not fill.)
        """
        each = self.limits.get("each")
        rest = self.limits.get("rest")
        pace = None if results is None or each is rest is None else Pace(results, each, rest)
        ceiling = self.limits.get("resident")
        return None if ceiling is pace is None else Watch(ceiling, pace)

    def confine_calls(self) -> None:
        """Install the system call filter; from here on the program may run."""
        sys.argv = ["solution.py", *self.arguments]
        gc.enable()
        self.filter.install(os.getpid())


def allow_raised_stacks() -> None:
    """Let programs ask for a larger stack, as contests' programs do: it is as large as it can be already."""
    refused = resource.setrlimit

    def setrlimit(kind: int, limits: Any) -> None:
        if kind != resource.RLIMIT_STACK:
            refused(kind, limits)

    vars(resource)["setrlimit"] = setrlimit


def results_file() -> int:
    """Return the file for result frames, which must be the first free descriptor."""
    fd = execution.memfd()
    if fd != _FIRST:
        raise OSError(f"descriptor {_FIRST} is taken")
    return fd


def frame(message: list[Any]) -> None:
    """Write one result frame of this child."""
    data = to_json(message).encode()
    data = _LENGTH.pack(len(data)) + data
    if os.write(_FIRST, data) != len(data):
        raise OSError("the result file is full")


def standard_streams() -> None:
    """Put fresh text streams over descriptors 0 and 1."""
    stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    stdout = io.TextIOWrapper(open(1, "wb", closefd=False), encoding="utf-8")  # noqa: SIM115
    vars(sys).update(stdin=stdin, __stdin__=stdin, stdout=stdout, __stdout__=stdout)


def _status_of(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, SystemExit):
        return "ok" if error.code in (None, 0) else "exit"
    return "memory" if isinstance(error, MemoryError) else "raised"


def _one_of_group(program: Program, index: int) -> None:
    started = time.process_time()
    os.dup2(_FIRST + 1 + 2 * index, 0)
    os.dup2(_FIRST + 2 + 2 * index, 1)
    standard_streams()
    sys.setrecursionlimit(1000)
    namespace = program.module("__main__").__dict__
    failure: BaseException | None = None
    try:
        exec(program.code, namespace)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - whatever one test raises must not stop the next
        failure = error
    status = _status_of(failure)
    if status == "ok":
        sys.stdout.flush()
    frame([index, status, round(time.process_time() - started, 4)])
    namespace.clear()


def _group_main(program: Program, count: int) -> None:
    stderr = sys.stderr
    program.confine_calls()
    for index in range(count):
        sys.stderr = stderr
        _one_of_group(program, index)


def run_group(program: Program, inputs: list[bytes], cap: int) -> tuple[dict[str, Any], bytes]:
    """Run every input in one child; returns the report and outputs, stderr tail and result frames, in that order."""
    oom = execution.oom_kills(program.jail)
    results = results_file()
    files = [execution.memfd(data) for pair in zip(inputs, [b""] * len(inputs), strict=True) for data in pair]
    stderr = execution.memfd()
    limits = program.limits
    pid = execution.fork_confined(
        program.jail,
        limits,
        stderr + 1,
        (files[0], files[1], stderr),
        len(files) + 64,
        lambda: child.run(_group_main, program, len(inputs)),
    )
    report = execution.outcome(program.jail, pid, limits["idle"], oom, watch=program.watch(results))
    report["sizes"] = []
    parts = []
    for fd in files[1::2]:
        size, data = execution.read_output(fd, cap)
        cap -= len(data)
        report["sizes"].append(size)
        parts.append(data)
    report["lengths"] = [len(part) for part in parts]
    return with_errors(report, parts, stderr, results, [results, stderr, *files])


def with_errors(
    report: dict[str, Any], parts: list[bytes], stderr: int, results: int | None, files: list[int]
) -> tuple[dict[str, Any], bytes]:
    """Complete a report with stderr's tail and the result frames, and close the files."""
    report["stderr_size"], errors = execution.read_tail(stderr)
    report["results_size"], frames = (0, b"") if results is None else execution.read_output(results, RESULT_BYTES)
    report["stderr"] = len(errors)
    report["results"] = len(frames)
    for fd in files:
        os.close(fd)
    return report, b"".join((*parts, errors, frames))


def _alone_main(program: Program) -> None:
    namespace = program.module("__main__").__dict__
    program.confine_calls()
    exec(program.code, namespace)


def run_alone(program: Program, data: bytes, cap: int) -> tuple[dict[str, Any], bytes]:
    """Run one input in a child of its own, as a fresh interpreter would."""
    oom = execution.oom_kills(program.jail)
    standard = (execution.memfd(data), execution.memfd(), execution.memfd())
    limits = program.limits
    pid = execution.fork_confined(program.jail, limits, _FIRST, standard, 64, lambda: child.run(_alone_main, program))
    report = execution.outcome(program.jail, pid, limits["idle"], oom, watch=program.watch())
    size, output = execution.read_output(standard[1], cap)
    report["sizes"] = [size]
    report["lengths"] = [len(output)]
    return with_errors(report, [output], standard[2], None, list(standard))


def _resolve(namespace: dict[str, Any], name: str) -> Any:
    """Return the function `name`, or the method for "Solution().name"; "?name" is whichever the program has."""
    solution = namespace.get("Solution")
    if name.startswith("?"):
        name = name[1:]
        if isinstance(solution, type) and hasattr(solution, name):
            return getattr(solution(), name)
    if name.startswith("Solution()."):
        return getattr(namespace["Solution"](), name.split(".", 1)[1])
    if name not in namespace:
        raise NameError(f"name {name!r} is not defined")
    return namespace[name]


def _attempt(function: Any, arguments: list[Any], named: dict[str, Any]) -> list[Any]:
    try:
        value = function(*arguments, **named)
        return ["ok", codec.encode(value)]
    except SystemExit:
        return ["exit", None]
    except MemoryError:
        return ["memory", None]
    except BaseException as error:  # noqa: BLE001 - what a call raises is its result
        return ["raised", [kind.__name__ for kind in type(error).__mro__]]


def _call_main(program: Program, calls: list[list[Any]]) -> None:
    namespace = program.module("solution").__dict__
    program.confine_calls()
    broken = _renamed(_attempt(lambda: exec(program.code, namespace), [], {}), "unimportable")
    if broken[0] == "unimportable" and child.memory_spent():
        broken = ["memory", None]
    for index, (name, positional, keywords) in enumerate(calls):
        arguments = codec.decode(positional, NODE_BUILDERS)
        named = codec.decode(keywords, NODE_BUILDERS)
        frame([index, *(_one_call(namespace, name, arguments, named) if broken[0] == "ok" else broken)])
    os._exit(0)


def _one_call(namespace: dict[str, Any], name: str, arguments: list[Any], named: dict[str, Any]) -> list[Any]:
    """Return what a call gave; a function that is not there is not one that raised."""
    found: list[Any] = []
    looked = _renamed(_attempt(lambda: found.append(_resolve(namespace, name)), [], {}), "absent")
    return _attempt(found[0], arguments, named) if found else looked


def _renamed(result: list[Any], word: str) -> list[Any]:
    return [word, *result[1:]] if result[0] == "raised" else result


def run_calls(program: Program, payload: bytes) -> tuple[dict[str, Any], bytes]:
    """Make every call in one child; a result frame per finished call."""
    oom = execution.oom_kills(program.jail)
    results = results_file()
    output = execution.memfd()  # what a call prints is no result; stdin is empty
    standard = (output, output, output)
    limits = program.limits
    pid = execution.fork_confined(
        program.jail, limits, _FIRST + 1, standard, 64, lambda: child.run(_call_main, program, json.loads(payload))
    )
    report = execution.outcome(program.jail, pid, limits["idle"], oom, watch=program.watch(results))
    report["sizes"] = [0]
    report["lengths"] = [0]
    return with_errors(report, [], output, results, [output, results])
