"""Judges test sources: pytest files, HumanEval checks, assert lines."""

import ast
import builtins
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracemill.sandbox.base import AssertSuite, HumanEvalSuite, Job, JobVerdict, Limits, PytestSuite, Status
from tracemill.sandbox.judging.faults import NO_TEST, SKIPPED, Fault, common_fault, unknown_names
from tracemill.sandbox.judging.results import raw_frames
from tracemill.sandbox.judging.script import (
    STDERR_CHARACTERS,
    Board,
    Event,
    Order,
    build_failure,
    ending,
    expect,
    open_order,
    refusal,
    run_order,
)

TestSource = PytestSuite | HumanEvalSuite | AssertSuite
Outcome = tuple[str, str, str]

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
    """Return whether a file uses more of pytest than plain test functions: classes, fixtures, marks, hooks."""
    if any(_is_for_pytest(node) for node in tree.body):
        return True
    return any(function.args.args or function.decorator_list for function in test_functions(tree))


_HOOKS = frozenset(f"{when}_{what}" for when in ("setup", "teardown") for what in ("module", "function"))
_HOOKS_OF_NOSE = frozenset(("setup", "teardown", "setUpModule", "tearDownModule"))


def _is_for_pytest(node: ast.stmt) -> bool:
    """Return whether a statement at the top of a file means something to pytest beyond its own value."""
    if isinstance(node, ast.ClassDef):
        return _holds_tests(node) or bool(node.bases) or node.name.startswith("Test")
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        test = node.name.startswith("test")
        fixture = any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
        return fixture or node.name in (_HOOKS | _HOOKS_OF_NOSE) or (test and isinstance(node, ast.AsyncFunctionDef))
    if isinstance(node, ast.Assign):
        names = [
            inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        ]
        return any(name.startswith("test") or name in ("pytestmark", "pytest_plugins") for name in names)
    if isinstance(node, (ast.If, ast.Try, ast.With, ast.For)) and not _guards_main(node):
        return any(isinstance(inner, ast.FunctionDef) and inner.name.startswith("test") for inner in ast.walk(node))
    return False


def _guards_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.dump(node.test)


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


def runs_in_one_process(suite: TestSource) -> bool:
    """Return whether a suite can only be run in the program's process, as its text shows."""
    return isinstance(suite, PytestSuite) and needs_one_process(ast.parse(suite.test_code))


def _holds_tests(node: ast.ClassDef) -> bool:
    return any(
        isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name.startswith("test") for item in node.body
    )


def guarded_names(tree: ast.Module) -> list[str]:
    """Return the names that mean something to the tests already, should a star import bring others in their place."""
    if not any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in tree.body):
        return []
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    imported = {(a.asname or a.name).split(".")[0] for n in tree.body if isinstance(n, ast.Import) for a in n.names}
    return sorted(used & (set(dir(builtins)) | imported))


def required_names(tree: ast.Module, entry_point: str | None, borrowed: Sequence[str]) -> list[str]:
    """Return the names that the program must have before any test may count: an absent one raises, too."""
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "solution" for a in n.names
    }
    entries = {name.strip() for name in (entry_point or "").split(",")} & named
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            entries |= {node.func.attr} if isinstance(owner, ast.Name) and owner.id == "solution" else set()
        elif isinstance(node, ast.With) and any("raises" in ast.dump(item) for item in node.items):
            called = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
            entries |= {function.id for function in called if isinstance(function, ast.Name)} & set(borrowed)
    return sorted(entries - node_helpers())


def node_helpers() -> frozenset[str]:
    """Return LeetCode's names for lists and trees, which the sandbox gives to tests that use them."""
    return frozenset(("ListNode", "TreeNode", "list_node", "tree_node", "is_same_list", "is_same_tree"))


def payload_of(suite: TestSource) -> dict[str, Any]:
    """Return what the worker needs to run a suite's tests."""
    if isinstance(suite, AssertSuite):
        lines = suite.lines[: suite.max_tests]
        tree = ast.parse("\n".join([suite.setup or "", *lines]))
        return {"style": "asserts", "source": suite.setup or "", "lines": lines, "borrowed": borrowed_names(tree)}
    source = suite.test if isinstance(suite, HumanEvalSuite) else suite.test_code
    tree = ast.parse(source)
    job: dict[str, Any] = {"source": source, "borrowed": borrowed_names(tree), "guarded": guarded_names(tree)}
    if isinstance(suite, HumanEvalSuite):
        return {**job, "style": "check", "entry": suite.entry_point}
    job["required"] = required_names(tree, suite.entry_point, job["borrowed"])
    if needs_pytest(tree):
        return {**job, "style": "pytest"}
    names = [function.name for function in test_functions(tree)][: suite.max_tests]
    return {**job, "style": "plain", "names": names}


def outcomes(data: bytes) -> tuple[list[Outcome], bool, int]:
    """Return (name, word, text) per reported test, whether the run reached its end, and its doubts (see peer.py)."""
    found: list[Outcome] = []
    for frame in raw_frames(data):
        if frame[1:2] == ["end"]:
            return found, True, frame[2] if len(frame) == 3 and type(frame[2]) is int else 0
        if len(frame) != 3 or frame[0] != len(found):
            break
        match frame[2]:
            case [str(name), str(text)]:
                found.append((name, str(frame[1]), text))
            case _:
                break
    return found, False, 0


def board_of(found: Sequence[Outcome], ended: bool, job: dict[str, Any], failure: Status | None) -> Board:
    """Return the score of a test run; a run that did not reach its end failed in the test after the last reported.

    A test that skips itself was not run and counts nowhere.
    """
    words = [entry for entry in found if entry[1] != "skip"]
    known = len(job.get("names") or job.get("lines") or []) - (len(found) - len(words))
    count = max(len(words) + (not ended), known, 1)
    board = Board.of(count)
    for at, (name, word, text) in enumerate(words):
        right = word == "pass"
        board.record(at, Status.ACCEPTED if right else Status.WRONG_ANSWER, f"{name}: {text}"[:300])
    if not ended:
        board.record(len(words), failure or Status.RUNTIME_ERROR)
    elif len(words) < count:
        board.record(len(words), Status.WRONG_ANSWER, "no test was found" if not words else "a test was not run")
    return board


def tests_limits(limits: Limits) -> Limits:
    """Return the limits of a whole test file."""
    return limits.model_copy(update={"cpu_seconds": limits.cpu_seconds * _TESTS_CPU_FACTOR})


@dataclass(frozen=True)
class Ran:
    """What one run of a test source gave: the tests that reported, whether the run reached its end, and the verdict.

    `fault`: why it shows nothing, if so. `final`: whether a failure is surely the program's. `doubtful`: whether a pass
    rests on what the program says of its own objects.
    """

    found: Sequence[Outcome]
    ended: bool
    verdict: JobVerdict
    fault: Fault | None = None
    final: bool = False
    doubtful: bool = False

    def of(self, verdict: JobVerdict) -> "Ran":
        """Return this run with another verdict."""
        return replace(self, verdict=verdict)


def run_in_process(job: Job, limits: Limits, suite: TestSource) -> Generator[Order | None, Event, Ran]:
    """Run tests and program in one process, as plain pytest would; what is shown is of low trust."""
    payload = payload_of(suite)
    each = limits.cpu_seconds
    limits = tests_limits(limits)
    sent = json.dumps({**payload, "program": job.source}).encode()
    prelude = isinstance(suite, HumanEvalSuite) and suite.entry_point.startswith("Solution()")
    yield Order({"order": "close"}, role="tests")
    first = run_order("tests", [sent], limits.cpu_seconds, 0, each=each)
    event, data = yield open_order(job, limits, first, role="tests", prelude=prelude)
    if failure := build_failure(event):
        return Ran((), False, refusal(job, 1, Status.COMPILE_ERROR, failure))
    report = expect(event, "ran")
    stderr = data[: report["stderr"]].decode("utf-8", "replace")
    found, ended, _ = outcomes(data[report["stderr"] :])
    board = board_of(found, ended, payload, ending(report, limits))
    board.charge(report)
    board.stderr = board.stderr or stderr[-STDERR_CHARACTERS:]
    verdict = board.verdict(job, "in-process", trust="low")
    return Ran(found, ended, verdict, _fault(suite, payload, verdict, found, ended, stderr))


def _fault(
    suite: TestSource, payload: dict[str, Any], verdict: JobVerdict, found: Sequence[Outcome], ended: bool, stderr: str
) -> Fault | None:
    """Return why a run shows nothing about the program, if it does not."""
    if verdict.status not in (Status.WRONG_ANSWER, Status.RUNTIME_ERROR):
        return None
    if ended and not any(word != "skip" for _, word, _ in found):
        return Fault(SKIPPED, "every test skips itself") if found else Fault(NO_TEST, "the tests hold no test")
    texts = [text for _, word, text in found if word == "fail"]
    if not ended:
        texts.append(stderr.strip().rpartition("\n")[2])
    return common_fault(texts, unknown_names(suite, payload["borrowed"]))
