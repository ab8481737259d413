"""Plans the control runs of a suite: which expectations are falsified in which run.

Every expectation is falsified in one run and stands in another, where there are several: a program that recognises true
expectations, and cheats only then, is seen by those that are false beside them.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from tracemill.sandbox.control.constants import Edit, edited
from tracemill.sandbox.control.expectations import Expectation, Expectations, Test
from tracemill.sandbox.judging.testfiles import TestSource, borrowed_names, node_helpers
from tracemill.sandbox.suites import AssertSuite, HumanEvalSuite, PytestSuite

_MOST_RUNS = 4
_LINE = "# -- {}\n"


@dataclass(frozen=True)
class Falsified:
    """A suite with other expectations, and which they are."""

    suite: TestSource
    expectations: tuple[Expectation, ...]


def falsified(suite: TestSource) -> list[Falsified]:
    """Return the control runs of a suite; none where it states no expectation that can be changed."""
    source, tree = _read(suite)
    found = Expectations(tree, _tests(suite, tree), _program_names(suite, tree)).all()
    groups = _groups(_joined(found))
    return [Falsified(_written(suite, source, group), tuple(group)) for group in groups]


def _read(suite: TestSource) -> tuple[str, ast.Module]:
    if isinstance(suite, AssertSuite):
        lines = suite.lines[: suite.max_tests]
        source = f"{suite.setup or ''}\n" + "".join(_LINE.format(at) + line + "\n" for at, line in enumerate(lines))
    else:
        source = suite.test_code if isinstance(suite, PytestSuite) else suite.test
    return source, ast.parse(source)


def _program_names(suite: TestSource, tree: ast.Module) -> list[str]:
    """Return the names in the tests that mean the program or a part of it."""
    names = [name for name in borrowed_names(tree) if name not in node_helpers()]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "solution":
            names += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.asname or alias.name for alias in node.names if alias.name == "solution"]
        elif isinstance(node, ast.FunctionDef) and node.name == "check" and isinstance(suite, HumanEvalSuite):
            names += [argument.arg for argument in node.args.args[:1]]
    if isinstance(suite, PytestSuite) and suite.entry_point:
        names += [name.strip() for name in suite.entry_point.split(",")]
    return names


def _tests(suite: TestSource, tree: ast.Module) -> list[Test]:
    if isinstance(suite, HumanEvalSuite):
        return [Test("check", node) for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if isinstance(suite, AssertSuite):
        first = (suite.setup or "").count("\n") + 1
        after = [node for node in tree.body if node.lineno > first]
        return [Test(str(at), node) for at, node in enumerate(after[: len(suite.lines)])]
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            found[node.name] = Test(node.name, node)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner.name.startswith("test"):
                    found[f"{node.name}::{inner.name}"] = Test(f"{node.name}::{inner.name}", inner)
    return list(found.values())


def _joined(found: Sequence[Expectation]) -> list[list[Expectation]]:
    """Return the expectations in parts that share no constant: those of a part change together."""
    parts: list[tuple[set[Edit], list[Expectation]]] = []
    for one in found:
        edits = set(one.edits)
        members = [one]
        rest = []
        for other in parts:
            if other[0] & edits:
                edits |= other[0]
                members = [*other[1], *members]
            else:
                rest.append(other)
        parts = [*rest, (edits, members)]
    return [members for _, members in parts]


def _groups(parts: Sequence[Sequence[Expectation]]) -> list[list[Expectation]]:
    """Deal the parts out to the runs, so that those of one test go to different ones."""
    tests: dict[str, int] = {}
    for part in parts:
        tests[part[0].test] = tests.get(part[0].test, 0) + 1
    count = min(_MOST_RUNS, len(parts), max(2, *tests.values())) if parts else 0
    groups: list[list[Expectation]] = [[] for _ in range(count)]
    for at, part in enumerate(parts):
        groups[at % count] += part
    return groups


def _written(suite: TestSource, source: str, group: Sequence[Expectation]) -> TestSource:
    text = edited(source, [edit for one in group for edit in one.edits])
    if isinstance(suite, PytestSuite):
        return suite.model_copy(update={"test_code": text})
    if isinstance(suite, HumanEvalSuite):
        return suite.model_copy(update={"test": text})
    lines = []
    for at in range(len(suite.lines[: suite.max_tests])):
        setup, _, text = text.partition(_LINE.format(at))
        lines.append(setup)
    setup, *rest = [*lines, text]
    return suite.model_copy(update={"setup": setup, "lines": tuple(part.removesuffix("\n") for part in rest)})
