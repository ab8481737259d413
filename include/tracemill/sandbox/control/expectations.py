"""Finds what each test expects of the program: the constants whose change an honest program cannot survive.

An expectation is hard when the program's own result is compared with its constants, so that only a program that does
not depend on the comparison can still pass; others only count when they fail.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tracemill.sandbox.control.bindings import Bindings, FunctionNode, name_of, parametrizations
from tracemill.sandbox.control.constants import Constants, Edit, Found, edit_of

_EQUAL = frozenset(
    (
        *("assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertSetEqual", "assertTupleEqual"),
        *("assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual", "assertAlmostEqual", "assertIs"),
        *("assertAlmostEquals", "isclose", "allclose", "array_equal", "array_equiv", "equals", "is_same_list"),
        *("is_same_tree", "assert_equal", "assert_allclose", "assert_array_equal", "assert_almost_equal"),
        *("assert_array_almost_equal", "assert_frame_equal", "assert_series_equal", "assert_index_equal"),
    )
)
_ORDER = {"assertGreater": ast.Gt, "assertGreaterEqual": ast.GtE, "assertLess": ast.Lt, "assertLessEqual": ast.LtE}
_MOCKED = frozenset(("assert_called_with", "assert_called_once_with", "assert_any_call", "assert_has_calls"))
_MATCHED = frozenset(("assertRegex", "match", "fullmatch", "search"))
_WHOLE = frozenset(("all", "any", "bool", "item"))
_OF_TEXT = frozenset(("startswith", "endswith"))
_SEEDS = frozenset(("seed", "default_rng", "Random", "RandomState"))


@dataclass(frozen=True)
class Expectation:
    """The edits that falsify one expectation of `test`; `row` is its row of a `parametrize` table, if it has one."""

    test: str
    row: int | None
    edits: frozenset[Edit]
    hard: bool


@dataclass(frozen=True)
class Test:
    """A test as its runner names it, without the values of parameters."""

    name: str
    body: ast.AST


class Expectations:
    """Collects the expectations of the tests of one source. `program`: the names under which it knows the program."""

    def __init__(self, tree: ast.Module, tests: Sequence[Test], program: Sequence[str]) -> None:
        self._tree = tree
        self._tests = tests
        self._bindings = Bindings(tree, program)
        self._constants = Constants(self._bindings)
        self._given = frozenset(found.node for found in self._arguments())
        self._unsure, self._hidden = self._settings(tree, tree, False, False)

    def _arguments(self) -> Iterator[Found]:
        """Yield the constants that the program is given."""
        for node, scope in self._bindings.scope_of.items():
            if isinstance(node, ast.Call) and self._bindings.is_program_call(node, scope):
                if name_of(node.func) in _MOCKED | _OF_TEXT | _EQUAL:
                    continue
                for part in (*node.args, *(word.value for word in node.keywords)):
                    yield from self._constants.reach(part, scope)

    def _settings(self, node: ast.AST, body: ast.AST, unsure: bool, hidden: bool) -> tuple[set[ast.AST], set[ast.AST]]:
        """Return the nodes that may not run at all, and those whose failure the test itself expects."""
        unsure_nodes = {node} if unsure else set()
        hidden_nodes = {node} if hidden else set()
        for child in ast.iter_child_nodes(node):
            maybe = unsure or isinstance(node, _BRANCHES) or self._may_be_empty(node)
            expected = hidden or (isinstance(node, (ast.With, ast.Try)) and _expects_failure(node))
            more = self._settings(child, body, maybe, expected and not isinstance(child, ast.withitem))
            unsure_nodes |= more[0]
            hidden_nodes |= more[1]
        return unsure_nodes, hidden_nodes

    def _may_be_empty(self, node: ast.AST) -> bool:
        scope = self._bindings.scope_of.get(node, 0)
        iterables = [node.iter] if isinstance(node, (ast.For, ast.AsyncFor)) else []
        if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
            iterables = [generator.iter for generator in node.generators]
        return any(self._bindings.tainted(iterable, scope) for iterable in iterables)

    def all(self) -> list[Expectation]:
        """Return every expectation, in the order of the tests."""
        return [one for test in self._tests for one in self._of(test)]

    def _of(self, test: Test) -> Iterator[Expectation]:
        rows = self._rows(test)
        for body in self._reached(test):
            for node in ast.walk(body):
                sure = node not in self._unsure
                for hard, found in self._site(node, self._bindings.scope_of.get(node, 0)):
                    mine = [one for one in found if self._belongs(one, test)]
                    yield from self._expected(test, rows, hard and sure, mine)

    def _expected(self, test: Test, rows: dict[ast.AST, int], hard: bool, found: list[Found]) -> Iterator[Expectation]:
        by_row: dict[int | None, set[Edit]] = {}
        for one in found:
            edit = edit_of(one)
            if edit is not None:
                by_row.setdefault(rows.get(one.node), set()).add(edit)
        for row, edits in by_row.items():
            yield Expectation(test.name, row, frozenset(edits), hard)

    def _rows(self, test: Test) -> dict[ast.AST, int]:
        """Return the row of each node of the test's only `parametrize` table."""
        calls = parametrizations(test.body) if isinstance(test.body, FunctionNode) else []
        if len(calls) != 1 or not isinstance(calls[0].args[1], (ast.List, ast.Tuple)):
            return {}
        return {node: at for at, row in enumerate(calls[0].args[1].elts) for node in ast.walk(row)}

    def _reached(self, test: Test) -> list[ast.AST]:
        """Return a test and the functions of the file that it calls, or that are called as it is set up."""
        reached: list[ast.AST] = [test.body]
        for body in reached:
            for node in ast.walk(body):
                name = (
                    name_of(node.func) if isinstance(node, ast.Call) else node.arg if isinstance(node, ast.arg) else ""
                )
                for function in self._bindings.functions.get(name, ()):
                    if function not in reached and not any(function is other.body for other in self._tests):
                        reached.append(function)
        return reached

    def _belongs(self, found: Found, test: Test) -> bool:
        """Return whether a constant is this test's, or nobody's, and not what the program is given."""
        if found.node in self._given:
            return False
        within = [o for o in self._tests if o.body is not test.body and _holds(o.body, found.node)]
        return not within or _holds(test.body, found.node)

    # -- one statement

    def _site(self, node: ast.AST, scope: int) -> Iterator[tuple[bool, list[Found]]]:
        """Yield (hard, constants) of the expectations that one node of the tree states."""
        if node in self._hidden:
            return
        if isinstance(node, ast.Assert):
            yield from self._truth(node.test, scope)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from self._called(node.value, scope)
        elif isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
            call = node.context_expr
            pattern = [word.value for word in call.keywords if word.arg == "match"]
            pattern += call.args[1:2] if name_of(call.func) in ("assertRaisesRegex", "assertWarnsRegex") else []
            yield from ((False, list(self._constants.reach(part, scope))) for part in pattern)

    def _called(self, call: ast.Call, scope: int) -> Iterator[tuple[bool, list[Found]]]:
        name = name_of(call.func)
        if name in ("assertTrue", "assert_", "assertIsTrue") and call.args:
            yield from self._truth(call.args[0], scope)
        elif name in _ORDER and len(call.args) >= 2:
            yield from self._compared(call.args[0], _ORDER[name](), call.args[1], scope)
        elif name == "assertIn" and len(call.args) >= 2:
            yield from self._compared(call.args[0], ast.In(), call.args[1], scope)
        elif name in _MOCKED:
            parts = (*call.args, *(word.value for word in call.keywords))
            yield True, [one for part in parts for one in self._constants.reach(part, scope)]
        elif name in _SEEDS and not self._bindings.tainted(call.func, scope):
            yield False, [one for part in call.args for one in self._constants.reach(part, scope)]
        elif name in _EQUAL | _MATCHED:
            yield from self._question(call, scope)

    def _truth(self, node: ast.expr, scope: int) -> Iterator[tuple[bool, list[Found]]]:
        if isinstance(node, ast.Compare):
            for left, sign, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                yield from self._compared(left, sign, right, scope)
        elif isinstance(node, ast.BoolOp):
            parts = [one for value in node.values for one in self._truth(value, scope)]
            if isinstance(node.op, ast.And):
                yield from parts
            elif len(parts) == len(node.values) and all(hard for hard, _ in parts):
                yield True, [one for _, found in parts for one in found]
        elif isinstance(node, ast.Call):
            yield from self._question(node, scope)
        elif isinstance(node, (ast.GeneratorExp, ast.ListComp)):
            sure = not self._may_be_empty(node)
            yield from ((hard and sure, found) for hard, found in self._truth(node.elt, scope))

    def _question(self, call: ast.Call, scope: int) -> Iterator[tuple[bool, list[Found]]]:
        """A call whose truth is asserted."""
        name = name_of(call.func)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name == "equals" and owner is not None and call.args:
            yield from self._compared(owner, ast.Eq(), call.args[0], scope)
        elif name in _EQUAL and len(call.args) >= 2:
            yield from self._compared(call.args[0], ast.Eq(), call.args[1], scope)
        elif name in _OF_TEXT and owner is not None and call.args and self._bindings.tainted(owner, scope):
            yield True, list(self._constants.reach(call.args[0], scope))
        elif name in _MATCHED and len(call.args) >= 2:
            pattern, text = call.args[:2] if name != "assertRegex" else (call.args[1], call.args[0])
            if self._bindings.tainted(text, scope):
                yield False, list(self._constants.reach(pattern, scope))
        elif name == "hasattr" and len(call.args) == 2 and self._bindings.tainted(call.args[0], scope):
            yield True, list(self._constants.reach(call.args[1], scope))
        elif name in _WHOLE:
            inner = call.args[:1] or ([owner] if owner is not None else [])
            for part in inner:
                yield from self._truth(part, scope)

    def _compared(
        self, left: ast.expr, sign: ast.cmpop, right: ast.expr, scope: int
    ) -> Iterator[tuple[bool, list[Found]]]:
        ours = self._bindings.tainted(left, scope)
        theirs = self._bindings.tainted(right, scope)
        if isinstance(sign, (ast.NotEq, ast.NotIn, ast.IsNot)):
            return
        if isinstance(sign, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
            yield from self._ordered(left, sign, right, scope)
        elif ours and theirs:
            yield False, [*self._constants.reach(left, scope), *self._constants.reach(right, scope)]
        elif ours or theirs:
            found = list(self._constants.reach(right if ours else left, scope))
            # An object of the program's may rightly contain the neighbour of what it contains.
            yield not isinstance(sign, ast.In) or not any(one.near for one in found), found
        else:
            literal = isinstance(left, ast.Constant)
            yield False, list(self._constants.reach(left if literal else right, scope))

    def _ordered(
        self, left: ast.expr, sign: ast.cmpop, right: ast.expr, scope: int
    ) -> Iterator[tuple[bool, list[Found]]]:
        """A bound, moved out of reach; where a difference is bounded, what is subtracted changes, not the tolerance."""
        above = isinstance(sign, (ast.Gt, ast.GtE))
        for result, limit, up in ((left, right, above), (right, left, not above)):
            if not self._bindings.tainted(result, scope) or self._bindings.tainted(limit, scope):
                continue
            subtracted = [one for part in _differences(result) for one in self._constants.reach(part, scope)]
            if subtracted:
                yield True, subtracted
            elif (bound := _number(limit)) is not None:
                sign_of_bound = (1 if up else -1) * (-1 if isinstance(limit, ast.UnaryOp) else 1)
                yield True, [replace(Found(bound), bound=sign_of_bound)]


_BRANCHES = (ast.If, ast.IfExp, ast.Try, ast.While, ast.ExceptHandler, ast.Match)


def _expects_failure(node: ast.With | ast.Try) -> bool:
    """Return whether a failed assertion within `node` is caught by it."""
    if isinstance(node, ast.Try):
        return bool(node.handlers)
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any(name_of(call.func) in ("raises", "assertRaises", "assertRaisesRegex", "suppress") for call in calls)


def _differences(node: ast.expr) -> list[ast.expr]:
    """Return the operands of the subtractions in `node`."""
    found = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)]
    return [part for one in found for part in (one.left, one.right)]


def _number(node: ast.expr) -> ast.Constant | None:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    number = isinstance(inner, ast.Constant) and isinstance(inner.value, (int, float)) and inner.value is not True
    return inner if isinstance(inner, ast.Constant) and number else None


def _holds(body: ast.AST, node: ast.Constant) -> bool:
    first = getattr(body, "lineno", 0)
    last = getattr(body, "end_lineno", 0) or 0
    for decorator in getattr(body, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return bool(first <= node.lineno <= last)
