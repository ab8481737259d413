"""Evaluates the constant expressions that tests are made of, without running anything: a small closed subset of Python.

Sizes are bounded before anything is built, so that `[0] * 10**12` in a test is refused, not computed.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

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
_BUILDERS: dict[str, Callable[..., Any]] = {
    "set": set,
    "frozenset": frozenset,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "float": float,
    "int": int,
    "str": str,
    "complex": complex,
    "bytes": bytes,
    "sorted": sorted,
}


class NotConstant(Exception):
    """The expression is not one that this module evaluates."""


def evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the plain value of `node`, with `names` as its variables; raises NotConstant."""
    try:
        value = _evaluate(node, names)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise NotConstant(str(error)) from None
    return value


def _evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        if node.value is Ellipsis:
            raise NotConstant("...")
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        items = [_evaluate(item, names) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items) if isinstance(node, ast.Tuple) else set(items)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_evaluate(_given(key), names): _evaluate(value, names) for key, value in pairs}
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_evaluate(node.operand, names))
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _evaluate(node.left, names), _evaluate(node.right, names))
    if isinstance(node, ast.Call):
        return _built(node, names)
    raise NotConstant(type(node).__name__)


def _given(key: ast.expr | None) -> ast.expr:
    if key is None:
        raise NotConstant("**")
    return key


def _binary(operation: ast.operator, left: Any, right: Any) -> Any:
    for one, other in ((left, right), (right, left)):
        long = isinstance(one, (str, bytes, list, tuple))
        if isinstance(operation, ast.Mult) and long and isinstance(other, int) and len(one) * other > _MAX_ITEMS:
            raise NotConstant("too long")
    whole = isinstance(left, int) and isinstance(right, int)
    if isinstance(operation, ast.Pow) and whole and left.bit_length() * abs(right) > _MAX_BITS:
        raise NotConstant("too large")
    if isinstance(operation, ast.Mod) and isinstance(left, (str, bytes)):
        raise NotConstant("formatting")
    return _BINARY[type(operation)](left, right)


def _built(node: ast.Call, names: Mapping[str, Any]) -> Any:
    if not isinstance(node.func, ast.Name) or node.keywords or node.func.id in names:
        raise NotConstant("a call")
    arguments = [_evaluate(argument, names) for argument in node.args]
    if node.func.id == "range" and len(range(*arguments)) <= _MAX_ITEMS:
        return range(*arguments)
    if node.func.id in ("list_node", "tree_node"):
        return nodes_of(node.func.id, arguments)
    if len(arguments) > 1 or (node.func.id == "bytes" and arguments and isinstance(arguments[0], int)):
        raise NotConstant("a call")
    return _BUILDERS[node.func.id](*arguments)


def nodes_of(name: str, arguments: list[Any]) -> Any:
    """Return LeetCode's `list_node([..])` or `tree_node([..])` as its values; an empty one is None."""
    from .worker.codec import Nodes

    (values,) = arguments
    values = list(values)
    if name == "tree_node":
        while values and values[-1] is None:
            values.pop()
    return Nodes("L" if name == "list_node" else "T", values) if values else None
