"""Turns the statements of a test into calls and rules for their results, so that no test runs inside the sandbox.

Understood: `assert f(args) <op> literal` (either side), truth of a call, `abs(f(x) - y) < e`, `math.isclose`, `len`,
`sorted` and the like around a call, `r = f(..)` then `assert r ..`, constants in variables, `with pytest.raises(E):`,
loops over constant lists. Anything else raises NotLowerable: half a translation would change what is tested.
Equality is Python's own on plain values, as the assert would see it.
"""

import ast
import builtins
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tracemill.sandbox.judging.calls import Accept, Call, payload
from tracemill.sandbox.judging.literals import Budget, NotConstant, evaluate
from tracemill.sandbox.judging.rules import Judge, accept_by, ended_well, raises
from tracemill.sandbox.worker.codec import to_set

_MAX_CALLS = 10_000
_STATEMENT = 20  # values that could be built in the time that a statement takes
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Is: ast.Is,
    ast.IsNot: ast.IsNot,
}
_WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "set": lambda value: to_set(list(value)),
    "sorted": sorted,
    "list": list,
    "tuple": tuple,
    "len": len,
    "sum": sum,
    "min": min,
    "max": max,
    "str": str,
    "round": round,
    "bool": bool,
}
_SINGLETONS = (True, False, None)


class NotLowerable(Exception):
    """The source does more than compare calls with constants."""


def _mutable(value: Any) -> bool:
    return isinstance(value, (list, dict, set)) or (isinstance(value, tuple) and any(map(_mutable, value)))


class Lowering:
    """Collects the calls of one test after another. `targets` maps names in the tests to functions of the program."""

    def __init__(self, targets: Mapping[str, str], constants: Mapping[str, Any], budget: Budget) -> None:
        self._targets = targets
        self._constants = constants
        self._budget = budget
        self._names: dict[str, Any] = {}
        self._results: dict[str, int] = {}
        self._test = 0
        self.calls: list[Call] = []

    def test(self, body: Sequence[ast.stmt]) -> None:
        """Lower one test; raises NotLowerable, also when it makes no call at all."""
        before = len(self.calls)
        self._names = dict(self._constants)
        self._results = {}
        self._block(body)
        if len(self.calls) == before:
            raise NotLowerable("no call")
        self._test += 1

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            try:
                self._statement(statement)
            except (NotConstant, KeyError) as error:
                raise NotLowerable(str(error)) from None

    def _statement(self, node: ast.stmt) -> None:
        self._budget.spend(_STATEMENT)
        if isinstance(node, ast.Assert):
            self._assert(node.test)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._assign(node.targets[0].id, node.value)
        elif isinstance(node, ast.With):
            self._with(node)
        elif isinstance(node, ast.For) and not node.orelse:
            for item in evaluate(node.iter, self._names, self._budget):
                self._bind(node.target, item)
                self._block(node.body)
        elif isinstance(node, ast.Expr):
            self._expression(node.value)
        elif not isinstance(node, ast.Pass):
            raise NotLowerable(type(node).__name__)

    def _assign(self, name: str, value: ast.expr) -> None:
        if self._is_call(value):
            index = self._call(value, ended_well)
            self._names.pop(name, None)
            self._results[name] = index
        else:
            self._names[name] = evaluate(value, self._names, self._budget)
            self._results.pop(name, None)

    def _expression(self, value: ast.expr) -> None:
        if isinstance(value, ast.Constant):
            return
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print":
            if not all(isinstance(argument, ast.Constant) for argument in value.args):
                raise NotLowerable("print of a value")
            return
        self._call(value, ended_well)

    def _bind(self, target: ast.expr, item: Any) -> None:
        if isinstance(target, ast.Name):
            self._names[target.id] = item
            self._results.pop(target.id, None)
        elif isinstance(target, ast.Tuple) and isinstance(item, (tuple, list)) and len(item) == len(target.elts):
            for part, value in zip(target.elts, item, strict=True):
                self._bind(part, value)
        else:
            raise NotLowerable("loop target")

    def _with(self, node: ast.With) -> None:
        context = node.items[0].context_expr
        plain = len(node.items) == 1 and node.items[0].optional_vars is None and len(node.body) == 1
        body = node.body[0]
        if not plain or not _names_it(context, "raises") or not isinstance(body, ast.Expr):
            raise NotLowerable("with")
        if not isinstance(context, ast.Call) or context.keywords or len(context.args) != 1:
            raise NotLowerable("raises(match=...)")
        kinds = context.args[0].elts if isinstance(context.args[0], ast.Tuple) else [context.args[0]]
        self._call(body.value, raises([_exception_name(kind) for kind in kinds]))

    # -- asserts

    def _assert(self, test: ast.expr) -> None:
        if isinstance(test, ast.Constant) and test.value:
            return
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            self._compare(test.left, test.ops[0], test.comparators[0])
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self._judged(test.operand, operator.not_)
        elif isinstance(test, ast.Call) and _names_it(test, "isclose") and len(test.args) == 2:
            self._is_close(test)
        elif isinstance(test, ast.Call) and _is_node_helper(test):
            expected = evaluate(test.args[1], self._names, self._budget)
            self._judged(test.args[0], lambda value: value == expected)
        else:
            self._judged(test, bool)

    def _compare(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> None:
        if not self._is_result(left) and type(sign) in _SWAPPED:
            left, right, sign = right, left, _SWAPPED[type(sign)]()
        if isinstance(sign, (ast.In, ast.NotIn)) and self._is_result(right):
            wanted = evaluate(left, self._names, self._budget)
            member = isinstance(sign, ast.In)
            self._judged(right, lambda value: (wanted in value) == member)
            return
        expected = evaluate(right, self._names, self._budget)
        if isinstance(sign, (ast.Is, ast.IsNot)):
            same = isinstance(sign, ast.Is)
            if not any(expected is one for one in _SINGLETONS):
                raise NotLowerable("is")
            self._judged(left, lambda value: (value is expected) == same)
            return
        compare = _COMPARE[type(sign)]
        self._judged(left, lambda value: compare(value, expected))

    def _is_close(self, test: ast.Call) -> None:
        left, right = test.args if self._is_result(test.args[0]) else reversed(test.args)
        expected = evaluate(right, self._names, self._budget)
        options = {str(word.arg): evaluate(word.value, self._names, self._budget) for word in test.keywords}
        self._judged(left, lambda value: math.isclose(value, expected, **options))

    def _judged(self, node: ast.expr, judge: Judge) -> None:
        """Record that `judge` must hold for `node`: a call, an earlier result, or one of these in a known wrapper."""
        inner, wrap = self._unwrapped(node)
        if wrap is not None:
            self._judged(inner, lambda value: judge(wrap(value)))
        elif isinstance(node, ast.Name) and node.id in self._results:
            index = self._results[node.id]
            earlier = self.calls[index].accept
            also = accept_by(judge)
            both: Accept = lambda word, value: earlier(word, value) and also(word, value)  # noqa: E731
            self.calls[index] = replace(self.calls[index], accept=both)
        else:
            self._call(node, accept_by(judge))

    def _unwrapped(self, node: ast.expr) -> tuple[ast.expr, Judge | None]:
        """Return what a known wrapper is around, and the wrapper; (node, None) when there is none."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left = self._is_result(node.left)
            constant = evaluate(node.right if left else node.left, self._names, self._budget)
            return (node.left if left else node.right), (lambda value: value - constant if left else constant - value)
        if isinstance(node, ast.Subscript):
            key = evaluate(node.slice, self._names, self._budget)
            return node.value, lambda value: value[key]
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if not isinstance(node, ast.Call) or name in self._targets or not node.args or node.keywords:
            return node, None
        if name == "round" and len(node.args) == 2:
            digits = evaluate(node.args[1], self._names, self._budget)
            return node.args[0], lambda value: round(value, digits)
        if len(node.args) == 1 and name in (*_WRAPPERS, "abs"):
            return node.args[0], abs if name == "abs" else _WRAPPERS[name]
        return node, None

    # -- calls

    def _is_result(self, node: ast.expr) -> bool:
        """Return whether a call of the program, or an earlier result, is part of `node`."""
        return any(
            self._is_call(inner) or (isinstance(inner, ast.Name) and inner.id in self._results)
            for inner in ast.walk(node)
            if isinstance(inner, ast.expr)
        )

    def _is_call(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._targets

    def _call(self, node: ast.expr, accept: Accept) -> int:
        """Record a call of the program and return its place."""
        if not isinstance(node, ast.Call) or not self._is_call(node) or len(self.calls) >= _MAX_CALLS:
            raise NotLowerable("not a call of the program")
        assert isinstance(node.func, ast.Name)
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            raise NotLowerable("star arguments")
        arguments = [evaluate(argument, self._names, self._budget) for argument in node.args]
        named = {str(word.arg): evaluate(word.value, self._names, self._budget) for word in node.keywords}
        self._forget_mutable(node)
        self.calls.append(Call(self._test, payload(self._targets[node.func.id], arguments, named), accept))
        return len(self.calls) - 1

    def _forget_mutable(self, node: ast.Call) -> None:
        """What the program was given it may change: variables that could share it are no longer constant."""
        given = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        if any(_mutable(self._names.get(name)) for name in given):
            self._names = {name: value for name, value in self._names.items() if not _mutable(value)}


def _names_it(node: ast.expr, name: str) -> bool:
    function = node.func if isinstance(node, ast.Call) else node
    return (isinstance(function, ast.Name) and function.id == name) or (
        isinstance(function, ast.Attribute) and function.attr == name
    )


def _is_node_helper(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in ("is_same_list", "is_same_tree") and len(node.args) == 2


def _exception_name(node: ast.expr) -> str:
    found = getattr(builtins, node.id, None) if isinstance(node, ast.Name) else None
    if not isinstance(found, type) or not issubclass(found, Exception):
        raise NotLowerable("an exception of its own")
    return found.__name__
