"""Runs a test source (pytest file, HumanEval check, assert lines) and reports one frame per test.

The solution is a module: the program itself (in-process, low trust) or a stand-in that calls it in another slot.
"""

import builtins
import importlib.metadata
import importlib.util
import io
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from . import child, execution, python
from .peer import Peer
from .prelude import NODE_HELPERS
from .relay import Relay

TEXT = 300
TEST_FILE = "/tmp/test_solution.py"
PROGRAM_FILE = "/tmp/solution.py"
Report = Callable[[str, str, str], None]
# Plugins that test files rely on, by entry point. Others (an environment may hold dozens) would cost a second a run.
_PLUGINS = frozenset(("pytest_mock", "asyncio", "subtests", "requests_mock", "freezegun", "lazy-fixture", "cases"))
_found_plugins: list[str] = []


class _Recorder:
    """A pytest plugin that reports each test's outcome; a test passes when its call passed and nothing else failed."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or not report.passed:
            word = "pass" if report.passed else "skip" if report.skipped else "fail"
            self._report(report.nodeid.split("::", 1)[-1], word, "" if report.passed else _words(report.longrepr))

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._report("import", "fail", _words(report.longrepr))
        elif report.skipped:
            self._report("import", "skip", "")


def _words(shown: Any) -> str:
    """Return what an outcome of pytest's says: the exception in one line where there is one, else the end of it all."""
    crash = getattr(shown, "reprcrash", None)
    text = getattr(crash, "message", None) or getattr(shown, "errorstring", None)
    return str(text)[:TEXT] if text else str(shown)[-TEXT:]


def _skipped(error: BaseException) -> bool:
    """Return whether the test file itself skipped; a class of that name that the program made is a failure."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(error, outcomes.Skipped)


def _line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error))[:TEXT]


def _try(function: Callable[[], object], name: str, report: Report) -> bool:
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - a test may raise anything; pytest's Skipped is no failure
        report(name, "skip" if _skipped(error) else "fail", _line(error))
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
    except BaseException as error:  # noqa: BLE001 - whatever the file raises is its one failure
        report("import", "skip" if _skipped(error) else "fail", _line(error))
        return None
    return namespace


def find_plugins() -> None:
    """Import pytest and the plugins that test files may rely on, once and before any program runs."""
    import pytest  # noqa: F401

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for entry in importlib.metadata.entry_points(group="pytest11"):
        if entry.name in _PLUGINS and entry.value not in _found_plugins:
            importlib.import_module(entry.value)
            _found_plugins.append(entry.value)


def _run_pytest(job: dict[str, Any], solution: ModuleType, report: Report) -> None:
    import pytest

    with open(TEST_FILE, "w", encoding="utf-8") as file:
        file.write(job["source"])
    vars(builtins).update(_borrowed(job, solution))
    options = ["-q", "-p", "no:cacheprovider", "--noconftest", "--rootdir=/tmp", "-c", "/dev/null"]
    options += [part for plugin in _found_plugins for part in ("-p", plugin)]
    pytest.main([*options, TEST_FILE], plugins=[_Recorder(report)])


def _candidate(entry: str, solution: ModuleType) -> Any:
    if entry.startswith("Solution()."):
        return getattr(solution.Solution(), entry.split(".", 1)[1])
    return getattr(solution, entry)


def run_tests(job: dict[str, Any], solution: ModuleType, report: Report) -> None:
    """Run the tests that `job` names by its style: plain, pytest, check or asserts."""
    absent = [name for name in job.get("required", ()) if not hasattr(solution, name)]
    if absent:
        report("import", "fail", f"the program has no {absent[0]!r}")
        return
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

    def __init__(self, peer: Peer, guarded: list[str]) -> None:
        super().__init__("solution")
        self.__dict__.update(_peer=peer, _guarded=guarded)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            names = self._peer.request("names")
            self._peer.doubts += any(name in self._guarded for name in names)
            return names
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._peer.request("name", name)
        self._peer.called_as(value, name)
        self.__dict__[name] = value
        return value


def _reporter() -> Report:
    count = 0

    def report(name: str, word: str, text: str) -> None:
        nonlocal count
        python.frame([count, word, [name, text]])
        count += 1

    return report


def _run_and_end(job: dict[str, Any], solution: ModuleType, doubts: Callable[[], int]) -> None:
    sys.stdin = io.StringIO()
    sys.modules["solution"] = solution
    run_tests(job, solution, _reporter())
    python.frame([-1, "end", doubts()])
    os._exit(0)


def _as_a_file(program: python.Program, source: str) -> ModuleType:
    """Return the program's module with its source beside the tests, as plain pytest would find it."""
    with open(PROGRAM_FILE, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(source)
    sys.path.insert(0, os.path.dirname(PROGRAM_FILE))
    module = program.module("solution")
    spec = importlib.util.spec_from_file_location("solution", PROGRAM_FILE)
    module.__spec__ = spec
    module.__file__ = PROGRAM_FILE
    module.__loader__ = spec.loader if spec is not None else None
    return module


def _main_in_process(program: python.Program, job: dict[str, Any]) -> None:
    solution = _as_a_file(program, job.pop("program"))
    program.confine_calls()
    exec(program.code, solution.__dict__)
    _run_and_end(job, solution, int)


def _end_at_once() -> NoReturn:
    """The program is gone: no test may catch that and go on."""
    os._exit(1)


def _main_remote(program: python.Program, job: dict[str, Any], fd: int) -> None:
    program.confine_calls()
    peer = Peer(fd, guarded=True, serve_name=lambda what, arguments: input(*arguments) if what == "input" else None)
    peer.bereft = _end_at_once
    _run_and_end(job, _RemoteSolution(peer, job.get("guarded", [])), lambda: peer.doubts)


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
    watch = None if remote else program.watch(results)
    wait = Relay(ours, busy=True, each=program.limits["each"]).wait
    report = execution.outcome(program.jail, pid, program.limits["idle"], oom, wait, watch)
    ours.close()
    report["sizes"] = [execution.read_output(standard[1], 0)[0]]
    report["lengths"] = [0]
    return python.with_errors(report, [], standard[2], results, [*standard, results])
