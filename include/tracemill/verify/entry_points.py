"""Finds the names that a test suite calls, so that the right fenced block can be chosen."""

from __future__ import annotations

import ast

from tracemill.sandbox.base import AssertSuite, CallSuite, HumanEvalSuite, PytestSuite, StdioSuite, TestSuite
from tracemill.sandbox.judging.testfiles import borrowed_names


def tested_names(suite: TestSuite) -> tuple[str, ...]:
    """The functions and classes that the program must define, most telling first; () for standard input and output.

    A pytest file names them by `from solution import …`, or by using them without a definition. "Solution().method"
    (LeetCode) is named by its method.
    """
    if isinstance(suite, StdioSuite):
        return ()
    if isinstance(suite, CallSuite):
        return (_bare(suite.fn_name),)
    if isinstance(suite, HumanEvalSuite):
        return (_bare(suite.entry_point),)
    if isinstance(suite, PytestSuite) and suite.entry_point:
        return tuple(name.strip() for name in suite.entry_point.split(",") if name.strip())
    return _names_in("\n".join(suite.lines) if isinstance(suite, AssertSuite) else suite.test_code)


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def _names_in(source: str) -> tuple[str, ...]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "solution"
        for alias in node.names
        if alias.name != "*"
    ]
    return tuple(dict.fromkeys(imported or borrowed_names(tree)))
