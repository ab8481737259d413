"""Runs a special judge, a Python program in its own slot that sees input, output and answer, never the program."""

import json
from collections.abc import Generator

from .base import Job, Limits, StdioSuite, SuiteError
from .scripts import Event, Order, build_failure, expect, open_order, run_order

_CHECKER_CPU_SECONDS = 10.0
_PROLOGUE = """
import json as _json, sys as _sys
_files = _json.loads(_sys.stdin.read())
for _name, _text in _files.items():
    with open("/tmp/" + _name, "w", encoding="utf-8", newline="") as _file:
        _file.write(_text)
_sys.argv = ["checker.py", "/tmp/input", "/tmp/output", "/tmp/answer"]
del _files, _name, _text, _file
exec(compile({source!r}, "checker.py", "exec"))
"""


class CheckerRun:
    """One use of a suite's checker. Exit status 0 means right; a checker that breaks is a fault of the data."""

    def __init__(self, job: Job, suite: StdioSuite, limits: Limits) -> None:
        self._suite = suite
        self._limits = limits.model_copy(update={"cpu_seconds": _CHECKER_CPU_SECONDS, "allow_fork": False})
        source = _PROLOGUE.format(source=suite.compare.checker)
        self._job = job.model_copy(update={"source": source, "language": "python"})

    def script(self, test: int, output: bytes) -> Generator[Order | None, Event, bool]:
        """Return whether the checker accepts `output` for test number `test`."""
        files = {
            "input": self._suite.inputs[test],
            "output": output.decode("utf-8", "replace"),
            "answer": self._suite.outputs[test],
        }
        run = run_order("alone", [json.dumps(files).encode()], _CHECKER_CPU_SECONDS, 1 << 16)
        event, _ = yield open_order(self._job, self._limits, run, role="tests")
        if failure := build_failure(event):
            raise SuiteError(f"the checker of {self._job.id} does not compile: {failure}")
        yield Order({"order": "close"}, role="tests")
        return bool(expect(event, "ran")["exit"] == 0)
