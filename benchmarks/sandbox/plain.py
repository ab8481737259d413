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


_GUARDED = (
    *("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty", "killpg"),
    *("rename", "renames", "truncate", "replace", "unlink", "fchmod", "fchown", "chmod", "chown", "chroot", "lchown"),
    *("getcwd", "chdir"),
)


def _run_tests(sample: dict[str, str], source: str) -> bool:
    """Do what run_test of lcb_runner/evaluation/testing_util.py does: parse the sample, compile, run test by test."""
    signal.signal(signal.SIGALRM, _stop)
    in_outs = json.loads(sample["input_output"])
    code = compile(_PRELUDE + source, "program", "exec")
    if in_outs.get("fn_name"):
        names: dict[str, Any] = {}
        exec(code, names)
        method: Any = names["Solution"]().solve if "Solution" in names else names["solve"]
        given = [[json.loads(line) for line in text.split("\n")] for text in in_outs["inputs"]]
        expected = [json.loads(text) for text in in_outs["outputs"]]
    for at, text in enumerate(in_outs["inputs"]):
        signal.alarm(_SECONDS)
        if in_outs.get("fn_name"):
            got = method(*given[at])
            right = (list(got) if isinstance(got, tuple) else got) == expected[at]
        else:
            right = _same_lines(_with_stdin(code, text), in_outs["outputs"][at])
        signal.alarm(0)
        if not right:
            return False
    return True


def _sample(program: dict[str, Any]) -> dict[str, str]:
    """Return a program's tests as LiveCodeBench hands them to its scorer: one JSON text."""
    call = program["kind"] == "call"
    inputs = [json.dumps(value) for value in program["inputs"]] if call else program["inputs"]
    outputs = [json.dumps(value) for value in program["outputs"]] if call else program["outputs"]
    tests = {"inputs": inputs, "outputs": outputs, "fn_name": "solve" if call else None}
    return {"input_output": json.dumps(tests)}


def _guarded(sample: dict[str, str], source: str, result: Any, metadata: Any) -> None:
    """The child of check_correctness: reliability_guard sets dangerous functions to None, then the tests run."""
    for name in _GUARDED:
        setattr(os, name, None)
    result.append(_run_tests(sample, source))
    metadata.append({})


def lcb(program: dict[str, Any]) -> bool:
    """Judge as LiveCodeBench's check_correctness: a Manager and a Process per program, all tests inside it."""
    sample = program["sample"]
    with multiprocessing.Manager() as manager:
        result, metadata = manager.list(), manager.list()
        process = multiprocessing.Process(target=_guarded, args=(sample, program["source"], result, metadata))
        process.start()
        process.join(timeout=(_SECONDS + 1) * len(json.loads(sample["input_output"])["inputs"]) + 5)
        if process.is_alive():
            process.kill()
        return bool(list(result) and result[0] and list(metadata))


def lean(program: dict[str, Any]) -> bool:
    """Judge as `lcb` without its Manager: one fork and a pipe, the least that an in-process scorer can cost."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=lambda: writer.send(_run_tests(program["sample"], program["source"])))
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
    for program in workload:
        program["sample"] = _sample(program)
    before, started = sum(os.times()[:4]), time.monotonic()
    accepted = sum(map(judge, workload))
    spent = sum(os.times()[:4]) - before
    report = {"seconds": spent, "programs": len(workload), "accepted": accepted, "wall": time.monotonic() - started}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
