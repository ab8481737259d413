"""Reads a test source as calls and rules for their results, where it says no more than that."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from tracemill.sandbox.base import AssertSuite, HumanEvalSuite, Job, Limits, PytestSuite
from tracemill.sandbox.judging.calls import Call, CallJudge
from tracemill.sandbox.judging.literals import Budget, NotConstant, evaluate
from tracemill.sandbox.judging.lowering import Lowering, NotLowerable
from tracemill.sandbox.judging.script import Script
from tracemill.sandbox.judging.testfiles import borrowed_names, needs_pytest, test_functions

_HARMLESS_IMPORTS = frozenset(("pytest", "math", "typing", "solution"))
_HELPERS = frozenset(("is_same_list", "is_same_tree", "list_node", "tree_node"))


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and "__main__" in ast.dump(node.test)


def _constants(body: Sequence[ast.stmt], functions: Sequence[ast.stmt], budget: Budget) -> dict[str, Any]:
    """Return the module-level constants of a test source; raises NotLowerable for any other statement."""
    names: dict[str, Any] = {}
    for node in body:
        if node in functions or _is_main_guard(node):
            continue
        if isinstance(node, ast.Import) and all(alias.name in _HARMLESS_IMPORTS for alias in node.names):
            continue
        if isinstance(node, ast.ImportFrom) and node.module in _HARMLESS_IMPORTS:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            raise NotLowerable(type(node).__name__)
        try:
            names[node.targets[0].id] = evaluate(node.value, {}, budget)
        except NotConstant as error:
            raise NotLowerable(str(error)) from None
    return names


def _targets(tree: ast.Module) -> dict[str, str]:
    """Return the program's names as the tests call them."""
    names = {name: name for name in borrowed_names(tree) if name not in _HELPERS}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "solution":
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    return names


def _each(
    tests: Sequence[Sequence[ast.stmt]], targets: Mapping[str, str], constants: Mapping[str, Any], budget: Budget
) -> list[Call]:
    lowering = Lowering(targets, constants, budget)
    for body in tests:
        lowering.test(body)
    return lowering.calls


def _lower_pytest(suite: PytestSuite) -> list[Call]:
    tree = ast.parse(suite.test_code)
    functions = test_functions(tree)
    if needs_pytest(tree):
        raise NotLowerable("fixtures, marks or classes")
    budget = Budget()
    constants = _constants(tree.body, functions, budget)
    return _each([function.body for function in functions[: suite.max_tests]], _targets(tree), constants, budget)


def _lower_check(suite: HumanEvalSuite) -> list[Call]:
    tree = ast.parse(suite.test)
    checks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if len(checks) != 1 or len(checks[0].args.args) != 1:
        raise NotLowerable("no single check(candidate)")
    budget = Budget()
    constants = _constants(tree.body, checks, budget)
    targets = {**_targets(tree), checks[0].args.args[0].arg: suite.entry_point}
    body = [node for node in checks[0].body if not _says_nothing(node)]
    whole = not all(isinstance(node, ast.Assert) for node in body)
    return _each([body] if whole else [[node] for node in body][: suite.max_tests], targets, constants, budget)


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and bool(node.test.value)


def _lower_asserts(suite: AssertSuite) -> list[Call]:
    lines = suite.lines[: suite.max_tests]
    budget = Budget()
    constants = _constants(ast.parse(suite.setup or "").body, (), budget)
    targets = _targets(ast.parse("\n".join([suite.setup or "", *lines])))
    return _each([ast.parse(line).body for line in lines], targets, constants, budget)


def lower(suite: PytestSuite | HumanEvalSuite | AssertSuite) -> list[Call]:
    """Return the suite as calls with rules for their results; raises NotLowerable."""
    if isinstance(suite, PytestSuite):
        calls = _lower_pytest(suite)
    else:
        calls = _lower_check(suite) if isinstance(suite, HumanEvalSuite) else _lower_asserts(suite)
    if not calls:
        raise NotLowerable("no call")
    return calls


def judge_as_calls(job: Job, limits: Limits, suite: PytestSuite | HumanEvalSuite | AssertSuite) -> Script:
    """Return the script that judges a test source as calls.

    Raises NotLowerable before anything was run, and OpaqueValue when a result has no plain form.
    """
    prelude = isinstance(suite, HumanEvalSuite) and suite.entry_point.startswith("Solution()")
    return (yield from CallJudge(job, limits, lower(suite), prelude).script("lowered"))
