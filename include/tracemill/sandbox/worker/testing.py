"""Runs a test source (pytest file, HumanEval check, assert lines) and reports one frame per test.

The solution is a module: the program itself (in-process, low trust) or a stand-in that calls it in another slot.
"""

import builtins
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import child, execution, python

TEXT = 300
TEST_FILE = "/tmp/test_solution.py"
Report = Callable[[str, str, str], None]


class _Recorder:
    """A pytest plugin that reports each test's outcome; a test passes when its call passed and nothing else failed."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or not report.passed:
            word = "pass" if report.passed else "skip" if report.skipped else "fail"
            self._report(report.nodeid.split("::", 1)[-1], word, str(report.longrepr or "")[-TEXT:])

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._report("import", "fail", str(report.longrepr)[-TEXT:])


def _try(function: Callable[[], object], name: str, report: Report) -> bool:
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - a test may raise anything; pytest's Skipped is no failure
        word = "skip" if type(error).__name__ == "Skipped" else "fail"
        report(name, word, "".join(traceback.format_exception_only(error))[-TEXT:])
        return False
    report(name, "pass", "")
    return True


def _namespace(job: dict[str, Any], solution: ModuleType) -> dict[str, Any]:
    module = ModuleType("test_solution")
    sys.modules["test_solution"] = module
    table = dict(vars(builtins))
    for name in job["borrowed"]:
        value = getattr(solution, name, None)
        if value is not None:
            table[name] = value
    module.__dict__["__builtins__"] = table
    return module.__dict__


def _load(job: dict[str, Any], solution: ModuleType, report: Report) -> dict[str, Any] | None:
    """Execute the test source; None (reported as the failed test "import") when it raises."""
    namespace = _namespace(job, solution)
    try:
        exec(compile(job["source"], "test_solution.py", "exec", dont_inherit=True), namespace)
    except BaseException as error:  # noqa: BLE001 - whatever the file raises is its one failure
        report("import", "fail", "".join(traceback.format_exception_only(error))[-TEXT:])
        return None
    return namespace


def _run_pytest(job: dict[str, Any], solution: ModuleType, report: Report) -> None:
    import pytest

    with open(TEST_FILE, "w", encoding="utf-8") as file:
        file.write(job["source"])
    for name in job["borrowed"]:
        value = getattr(solution, name, None)
        if value is not None:
            setattr(builtins, name, value)
    options = ["-q", "-p", "no:cacheprovider", "--rootdir=/tmp", "--import-mode=importlib", "-c", "/dev/null"]
    pytest.main([*options, TEST_FILE], plugins=[_Recorder(report)])


def _candidate(entry: str, solution: ModuleType) -> Any:
    if entry.startswith("Solution()."):
        return getattr(solution.Solution(), entry.split(".", 1)[1])
    return getattr(solution, entry)


def run_tests(job: dict[str, Any], solution: ModuleType, report: Report) -> None:
    """Run the tests that `job` names by its style: plain, pytest, check or asserts."""
    if job["style"] == "pytest":
        _run_pytest(job, solution, report)
        return
    namespace = _load(job, solution, report)
    if namespace is None:
        return
    if job["style"] == "check":
        candidate = _candidate(job["entry"], solution)
        _try(lambda: namespace["check"](candidate), "check", report)
    elif job["style"] == "asserts":
        for at, line in enumerate(job["lines"]):
            _try(lambda line=line: exec(line, namespace), str(at), report)  # type: ignore[misc]
    else:
        for name in job["names"]:
            _try(namespace[name], name, report)


def _main(program: python.Program, job: dict[str, Any]) -> None:
    count = 0

    def report(name: str, word: str, text: str) -> None:
        nonlocal count
        python.frame([count, word, [name, text]])
        count += 1

    solution = program.module("solution")
    program.confine_calls()
    exec(program.code, solution.__dict__)
    sys.stdin = io.StringIO()
    run_tests(job, solution, report)
    python.frame([count, "end", None])
    os._exit(0)


def run_in_process(program: python.Program, payload: bytes) -> tuple[dict[str, Any], bytes]:
    """Run program and tests in one child: what the program returns is judged by code in its reach, so low trust."""
    job = json.loads(payload)
    oom = execution.oom_kills(program.jail)
    results = python.results_file()
    standard = (execution.memfd(), execution.memfd(), execution.memfd())
    pid = execution.fork_confined(
        program.jail, program.limits, results + 1, standard, 64, lambda: child.run(_main, program, job)
    )
    report = execution.outcome(program.jail, pid, program.limits["idle"], oom)
    report["sizes"], report["lengths"] = [execution.read_output(standard[1], 0)[0]], [0]
    return python.with_errors(report, [], standard[2], results, [*standard, results])
