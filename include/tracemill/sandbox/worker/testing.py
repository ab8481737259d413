"""Runs a test source (pytest file, HumanEval check, assert lines) and reports one frame per test.

The solution is a module: the program itself (in-process, low trust) or a stand-in that calls it in another slot.
"""

import builtins
import io
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import child, execution, python
from .peer import Peer, PeerGone
from .prelude import NODE_HELPERS
from .relay import Relay

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


def _skipped(error: BaseException) -> bool:
    """Return whether the test file itself skipped; a class of that name that the program made is a failure."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(error, outcomes.Skipped)


def _try(function: Callable[[], object], name: str, report: Report) -> bool:
    try:
        function()
    except PeerGone:
        raise
    except BaseException as error:  # noqa: BLE001 - a test may raise anything; pytest's Skipped is no failure
        report(name, "skip" if _skipped(error) else "fail", "".join(traceback.format_exception_only(error))[-TEXT:])
        return False
    report(name, "pass", "")
    return True


def _borrowed(job: dict[str, Any], solution: ModuleType) -> dict[str, Any]:
    """Return what the tests use without importing it: the solution's names, and the node helpers of LeetCode."""
    found = {name: NODE_HELPERS[name] for name in job["borrowed"] if name in NODE_HELPERS}
    missing = object()
    for name in job["borrowed"]:
        value = getattr(solution, name, missing)
        if value is not missing:
            found[name] = value
    return found


def _namespace(job: dict[str, Any], solution: ModuleType) -> dict[str, Any]:
    module = ModuleType("test_solution")
    sys.modules["test_solution"] = module
    table = dict(vars(builtins))
    table.update(_borrowed(job, solution))
    module.__dict__["__builtins__"] = table
    return module.__dict__


def _load(job: dict[str, Any], solution: ModuleType, report: Report) -> dict[str, Any] | None:
    """Execute the test source; None (reported as the failed test "import") when it raises."""
    namespace = _namespace(job, solution)
    try:
        exec(compile(job["source"], "test_solution.py", "exec", dont_inherit=True), namespace)
    except PeerGone:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the file raises is its one failure
        report("import", "fail", "".join(traceback.format_exception_only(error))[-TEXT:])
        return None
    return namespace


def _run_pytest(job: dict[str, Any], solution: ModuleType, report: Report) -> None:
    import pytest

    with open(TEST_FILE, "w", encoding="utf-8") as file:
        file.write(job["source"])
    vars(builtins).update(_borrowed(job, solution))
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


class _RemoteSolution(ModuleType):
    """Module `solution` as the tests see it when the program lives in another slot."""

    def __init__(self, peer: Peer) -> None:
        super().__init__("solution")
        self.__dict__["_peer"] = peer

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._peer.request("names")
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._peer.request("name", name)
        self.__dict__[name] = value
        return value


def _reporter() -> Report:
    count = 0

    def report(name: str, word: str, text: str) -> None:
        nonlocal count
        python.frame([count, word, [name, text]])
        count += 1

    return report


def _run_and_end(job: dict[str, Any], solution: ModuleType) -> None:
    sys.stdin = io.StringIO()
    sys.modules["solution"] = solution
    run_tests(job, solution, _reporter())
    python.frame([-1, "end", None])
    os._exit(0)


def _main_in_process(program: python.Program, job: dict[str, Any]) -> None:
    solution = program.module("solution")
    program.confine_calls()
    exec(program.code, solution.__dict__)
    _run_and_end(job, solution)


def _main_remote(program: python.Program, job: dict[str, Any], fd: int) -> None:
    program.confine_calls()
    peer = Peer(fd, guarded=True, serve_name=lambda what, arguments: input(*arguments) if what == "input" else None)
    try:
        _run_and_end(job, _RemoteSolution(peer))
    except PeerGone:
        os._exit(1)


def run(program: python.Program, payload: bytes, remote: bool) -> tuple[dict[str, Any], bytes]:
    """Run tests against a program in the same child (low trust) or, `remote`, in another slot."""
    job = json.loads(payload)
    oom = execution.oom_kills(program.jail)
    results = python.results_file()
    theirs, ours = socket.socketpair()
    fd = theirs.detach()
    standard = (execution.memfd(), execution.memfd(), execution.memfd())
    main = (_main_remote, program, job, fd) if remote else (_main_in_process, program, job)
    pid = execution.fork_confined(
        program.jail, program.limits, fd + 1 if remote else results + 1, standard, 64, lambda: child.run(*main)
    )
    os.close(fd)
    wait = Relay(ours, busy=True).wait if remote else execution.wait
    report = execution.outcome(program.jail, pid, program.limits["idle"], oom, wait)
    ours.close()
    report["sizes"], report["lengths"] = [execution.read_output(standard[1], 0)[0]], [0]
    return python.with_errors(report, [], standard[2], results, [*standard, results])
