# ruff: noqa: E501
"""The two yardsticks, as others build them: a subprocess per test, and LiveCodeBench's scorer in one process.

Run as a module with a workload file and "naive" or "lcb": prints one JSON line {seconds, programs, accepted}. It runs
in an interpreter of its own that holds nothing else, so that its forks cost no more than they must.
"""

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from typing import Any
from unittest.mock import mock_open, patch

_SECONDS = 6
_CALL_TAIL = """
import json, sys
_solve = Solution().solve if "Solution" in globals() else solve
print(json.dumps(_solve(json.loads(sys.stdin.read()))))
"""
# As lcb_runner/evaluation/testing_util.py puts in front of every program.
_PRELUDE = (
    "".join(
        f"from {name} import *\n"
        for name in (
            *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
            *("itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing"),
        )
    )
    + "import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools\n"
)


def naive(program: dict[str, Any]) -> bool:
    """Judge by one `python -c` per test."""
    call = program["kind"] == "call"
    source = f"from typing import *\n{program['source']}\n{_CALL_TAIL}" if call else program["source"]
    for given, expected in zip(program["inputs"], program["outputs"], strict=True):
        text = json.dumps(given) if call else given
        command = [sys.executable, "-c", source]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if done.returncode:
            return False
        if (json.loads(done.stdout) != expected) if call else (done.stdout.split() != expected.split()):
            return False
    return True


class _Capture(list[str]):
    def __enter__(self) -> "_Capture":
        self._stdout = sys.stdout
        sys.stdout = self._buffer = io.StringIO()
        self._buffer.close = lambda: None  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.append(self._buffer.getvalue())
        sys.stdout = self._stdout


def _with_stdin(code: Any, text: str) -> str:
    """Run compiled code with a mocked standard input, as LiveCodeBench does."""
    lines = iter(text.split("\n"))
    with (
        patch("builtins.open", mock_open(read_data=text)),
        patch("sys.stdin", io.StringIO(text)),
        patch("sys.stdin.readline", lambda *a: next(lines)),
        patch("sys.stdin.readlines", lambda *a: text.split("\n")),
        patch("sys.stdin.read", lambda *a: text),
        _Capture() as captured,
    ):
        exec(code, {"__name__": "__main__"})
    return captured[0]


def _same_lines(got: str, expected: str) -> bool:
    ours, theirs = got.strip().split("\n"), expected.strip().split("\n")
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if a.strip() != b.strip() and [Decimal(x) for x in a.split()] != [Decimal(x) for x in b.split()]:
            return False
    return True


def _stop(*_: object) -> None:
    raise TimeoutError


def _run_tests(program: dict[str, Any]) -> bool:
    signal.signal(signal.SIGALRM, _stop)
    code = compile(_PRELUDE + program["source"], "program", "exec")
    names: dict[str, Any] = {}
    if program["kind"] == "call":
        exec(code, names)
        solve = names["Solution"]().solve if "Solution" in names else names["solve"]
    for given, expected in zip(program["inputs"], program["outputs"], strict=True):
        signal.alarm(_SECONDS)
        if program["kind"] == "call":
            right = solve(list(given)) == expected
        else:
            right = _same_lines(_with_stdin(code, given), expected)
        signal.alarm(0)
        if not right:
            return False
    return True


def _guarded(program: dict[str, Any], result: Any) -> None:
    """The child of LiveCodeBench's check_correctness: the guard sets dangerous functions to None, then the tests run."""
    for name in ("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty"):
        setattr(os, name, None)
    result.append(_run_tests(program))


def lcb(program: dict[str, Any]) -> bool:
    """Judge as LiveCodeBench's check_correctness: a Manager and a Process per program, all tests inside it."""
    with multiprocessing.Manager() as manager:
        result = manager.list()
        process = multiprocessing.Process(target=_guarded, args=(program, result))
        process.start()
        process.join(timeout=(_SECONDS + 1) * len(program["inputs"]) + 5)
        if process.is_alive():
            process.kill()
        return bool(list(result) and result[0])


def lean(program: dict[str, Any]) -> bool:
    """Judge as `lcb` without its Manager: one fork and a pipe, the least that an in-process scorer can cost."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=lambda: writer.send(_run_tests(program)))
    process.start()
    right = bool(reader.recv())
    process.join()
    return right


def main() -> None:
    """Judge the workload in argv[1] the way argv[2] says."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - pathlib would only make the forks dearer
        workload = json.load(file)
    judge = {"naive": naive, "lcb": lcb, "lean": lean}[sys.argv[2]]
    multiprocessing.set_start_method("fork")
    before, started = sum(os.times()[:4]), time.monotonic()
    accepted = sum(map(judge, workload))
    spent = sum(os.times()[:4]) - before
    report = {"seconds": spent, "programs": len(workload), "accepted": accepted, "wall": time.monotonic() - started}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
