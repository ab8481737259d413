"""Judges test sources: pytest files, HumanEval checks, assert lines."""

import ast
import builtins
import json
from collections.abc import Sequence
from typing import Any

from .base import AssertSuite, HumanEvalSuite, Job, Limits, PytestSuite, Status
from .results import raw_frames
from .scripts import Board, Script, build_failure, ending, expect, open_order, refusal, run_order

_TESTS_CPU_FACTOR = 4  # a whole test file may use this many times the limit of one test


def borrowed_names(tree: ast.Module) -> list[str]:
    """Return the names that a test source uses but neither defines, imports nor finds among the builtins."""
    bound: set[str] = set(dir(builtins))
    used: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            bound.add(node.id) if not isinstance(node.ctx, ast.Load) else used.append(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return list(dict.fromkeys(name for name in used if name not in bound))


def test_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Return the test functions at the top of a file, the last of each name, as pytest would find them."""
    found = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test")}
    return list(found.values())


def needs_pytest(tree: ast.Module) -> bool:
    """Return whether a file uses more of pytest than plain test functions: classes, fixtures, parameters, marks."""
    if any(isinstance(node, ast.ClassDef) and _holds_tests(node) for node in tree.body):
        return True
    return any(function.args.args or function.decorator_list for function in test_functions(tree))


_SHARED_PROCESS = frozenset(
    (
        "monkeypatch",
        "mock",
        "mocker",
        "patch",
        "Mock",
        "MagicMock",
        "asyncio",
        "inspect",
        "importlib",
        "caplog",
        "mocker",
    )
)


def needs_one_process(tree: ast.Module) -> bool:
    """Return whether the tests reach into the program's process: mocks, coroutines, inspection, subclassing."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    imported = {a.name for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "solution" for a in n.names}
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
    coroutine = any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree))
    return bool(names & _SHARED_PROCESS) or bool(bases & imported) or coroutine


def _holds_tests(node: ast.ClassDef) -> bool:
    return any(isinstance(item, ast.FunctionDef) and item.name.startswith("test") for item in node.body)


def payload_of(suite: PytestSuite | HumanEvalSuite | AssertSuite) -> dict[str, Any]:
    """Return what the worker needs to run a suite's tests."""
    if isinstance(suite, AssertSuite):
        lines = suite.lines[: suite.max_tests]
        tree = ast.parse("\n".join([suite.setup or "", *lines]))
        return {"style": "asserts", "source": suite.setup or "", "lines": lines, "borrowed": borrowed_names(tree)}
    source = suite.test if isinstance(suite, HumanEvalSuite) else suite.test_code
    tree = ast.parse(source)
    job: dict[str, Any] = {"source": source, "borrowed": borrowed_names(tree)}
    if isinstance(suite, HumanEvalSuite):
        return {**job, "style": "check", "entry": suite.entry_point}
    if needs_pytest(tree):
        return {**job, "style": "pytest"}
    names = [function.name for function in test_functions(tree)][: suite.max_tests]
    return {**job, "style": "plain", "names": names}


def outcomes(data: bytes) -> tuple[list[tuple[str, str, str]], bool]:
    """Return (name, word, text) per reported test, and whether the run reached its end."""
    found: list[tuple[str, str, str]] = []
    for frame in raw_frames(data):
        if frame[1:2] == ["end"]:
            return found, True
        if len(frame) != 3 or frame[0] != len(found):
            break
        match frame[2]:
            case [str(name), str(text)]:
                found.append((name, str(frame[1]), text))
            case _:
                break
    return found, False


def board_of(found: Sequence[tuple[str, str, str]], ended: bool, job: dict[str, Any], failure: Status | None) -> Board:
    """Return the score of a test run; a run that did not reach its end failed in the test after the last reported."""
    words = [entry for entry in found if entry[1] != "skip"]
    known = len(job.get("names") or job.get("lines") or [])
    count = max(len(words) + (not ended), known, 1)
    board = Board.of(count)
    for at, (name, word, text) in enumerate(words):
        right = word == "pass"
        board.record(at, Status.ACCEPTED if right else Status.WRONG_ANSWER, f"{name}: {text}"[:300])
    if not ended:
        board.record(len(words), failure or Status.RUNTIME_ERROR)
    elif not words:
        board.record(0, Status.WRONG_ANSWER, "no test was found")
    return board


def tests_limits(limits: Limits) -> Limits:
    """Return the limits of a whole test file."""
    return limits.model_copy(update={"cpu_seconds": limits.cpu_seconds * _TESTS_CPU_FACTOR})


def judge_in_process(job: Job, limits: Limits, suite: PytestSuite | HumanEvalSuite | AssertSuite) -> Script:
    """Return the script that runs tests and program in one process, marked as low trust."""
    payload = payload_of(suite)
    limits = tests_limits(limits)
    run = run_order("tests", [json.dumps(payload).encode()], limits.cpu_seconds, 0)
    prelude = isinstance(suite, HumanEvalSuite) and suite.entry_point.startswith("Solution()")
    event, data = yield open_order(job, limits, run, role="tests", prelude=prelude)
    if failure := build_failure(event):
        return refusal(job, 1, Status.COMPILE_ERROR, failure)
    report = expect(event, "ran")
    found, ended = outcomes(data[report["stderr"] :])
    board = board_of(found, ended, payload, ending(report, limits))
    board.charge(report)
    return board.verdict(job, "in-process", trust="low")
