"""Evaluates the constant expressions that tests are made of, without running anything: a small closed subset of Python.

Sizes are bounded before anything is built, so that `[0] * 10**12` in a test is refused, not computed.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from tracemill.sandbox.worker.codec import to_dict, to_set

_MAX_ITEMS = 200_000
_MAX_BITS = 20_000
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def _keys_and_values(pairs: Any) -> tuple[list[Any], list[Any]]:
    pairs = list(pairs.items() if isinstance(pairs, dict) else pairs)
    return [key for key, _ in pairs], [value for _, value in pairs]


_BUILDERS: dict[str, Callable[..., Any]] = {
    "set": lambda items=(): to_set(list(items)),
    "frozenset": lambda items=(): frozenset(to_set(list(items))),
    "list": list,
    "tuple": tuple,
    "dict": lambda pairs=(): to_dict(*_keys_and_values(pairs)),
    "float": float,
    "int": int,
    "str": str,
    "complex": complex,
    "bytes": bytes,
    "sorted": sorted,
}


class NotConstant(Exception):
    """The expression is not one that this module evaluates."""


class Budget:
    """What all constants of one test source may cost together, in values built: about half a second, 100 MiB."""

    def __init__(self, steps: int = 2_000_000) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Take `steps` from what is left; raises NotConstant when that is not enough."""
        self._left -= steps
        if self._left < 0:
            raise NotConstant("the tests build more than their budget")

    def spend_on(self, value: Any, times: int = 1) -> None:
        """Take what `value` holds, each occurrence counted, `times` over: lists in lists are quickly huge."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, (str, bytes)):
                self.spend((1 + len(item) // 16) * times)
            elif isinstance(item, int):
                self.spend((1 + item.bit_length() // 128) * times)
            elif isinstance(item, dict):
                self.spend((1 + len(item)) * times)
                waiting += (*item, *item.values())
            elif isinstance(item, (list, tuple, set, frozenset)):
                self.spend((1 + len(item)) * times)
                waiting += item
            else:
                self.spend(times)


def evaluate(node: ast.expr, names: Mapping[str, Any], budget: Budget) -> Any:
    """Return the plain value of `node`, with `names` as its variables; raises NotConstant."""
    try:
        return _evaluate(node, names, budget)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise NotConstant(str(error)) from None


def _evaluate(node: ast.expr, names: Mapping[str, Any], budget: Budget) -> Any:
    budget.spend(1)
    if isinstance(node, ast.Constant):
        if node.value is Ellipsis:
            raise NotConstant("...")
        budget.spend_on(node.value)
        return node.value
    if isinstance(node, ast.Name):
        value = names[node.id]
        budget.spend_on(value)
        return value
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        items = [_evaluate(item, names, budget) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items) if isinstance(node, ast.Tuple) else to_set(items)
    if isinstance(node, ast.Dict):
        keys = [_evaluate(_given(key), names, budget) for key in node.keys]
        return to_dict(keys, [_evaluate(value, names, budget) for value in node.values])
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_evaluate(node.operand, names, budget))
    if isinstance(node, ast.BinOp):
        left = _evaluate(node.left, names, budget)
        right = _evaluate(node.right, names, budget)
        return _binary(node.op, left, right, budget)
    if isinstance(node, ast.Call):
        return _built(node, names, budget)
    raise NotConstant(type(node).__name__)


def _given(key: ast.expr | None) -> ast.expr:
    if key is None:
        raise NotConstant("**")
    return key


def _binary(operation: ast.operator, left: Any, right: Any, budget: Budget) -> Any:
    long = isinstance(left, (str, bytes, list, tuple)) or isinstance(right, (str, bytes, list, tuple))
    if isinstance(operation, ast.Mult) and long:
        many, times = (right, left) if isinstance(left, int) else (left, right)
        budget.spend_on(many, max(0, operator.index(times)))
    elif isinstance(operation, ast.Add) and long:
        budget.spend_on([left, right])
    whole = isinstance(left, int) and isinstance(right, int)
    if isinstance(operation, ast.Pow) and whole and left.bit_length() * abs(right) > _MAX_BITS:
        raise NotConstant("too large")
    if isinstance(operation, ast.Mult) and whole and left.bit_length() + right.bit_length() > _MAX_BITS:
        raise NotConstant("too large")
    if isinstance(operation, ast.Mod) and isinstance(left, (str, bytes)):
        raise NotConstant("formatting")
    return _BINARY[type(operation)](left, right)


def _built(node: ast.Call, names: Mapping[str, Any], budget: Budget) -> Any:
    if not isinstance(node.func, ast.Name) or node.keywords or node.func.id in names:
        raise NotConstant("a call")
    arguments = [_evaluate(argument, names, budget) for argument in node.args]
    if node.func.id == "range" and len(range(*arguments)) <= _MAX_ITEMS:
        budget.spend(len(range(*arguments)))
        return range(*arguments)
    budget.spend_on(arguments)
    if node.func.id in ("list_node", "tree_node"):
        return nodes_of(node.func.id, arguments)
    if len(arguments) > 1 or (node.func.id == "bytes" and arguments and isinstance(arguments[0], int)):
        raise NotConstant("a call")
    return _BUILDERS[node.func.id](*arguments)


def nodes_of(name: str, arguments: list[Any]) -> Any:
    """Return LeetCode's `list_node([..])` or `tree_node([..])` as its values; an empty one is None."""
    from tracemill.sandbox.worker.codec import Nodes

    (values,) = arguments
    values = list(values)
    if name == "tree_node":
        while values and values[-1] is None:
            values.pop()
    return Nodes("L" if name == "list_node" else "T", values) if values else None
