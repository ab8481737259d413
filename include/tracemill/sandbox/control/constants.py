"""Finds the constants that a value in a test source is made of, and writes others in their place."""

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass

from tracemill.sandbox.control.bindings import Binding, Bindings, name_of

_DEPTH = 8
_SETTINGS = frozenset(
    ("rel", "abs", "rel_tol", "abs_tol", "atol", "rtol", "delta", "places", "decimal", "msg", "dtype")
)
_CONTAINERS = frozenset(
    (
        *("set", "frozenset", "list", "tuple", "sorted", "dict", "Counter", "deque", "OrderedDict", "defaultdict"),
        *("array", "asarray", "Series", "DataFrame", "approx", "Decimal", "Fraction", "str", "float", "int", "call"),
        *("Index", "bytes", "bytearray", "complex", "Point", "param"),
    )
)
_FAR = 1009
_BEYOND = 10**15


@dataclass(frozen=True)
class Found:
    """A constant; `near` where a far value might not be one (a month, a size), `bound` -1 or 1 where it is a limit."""

    node: ast.Constant
    near: bool = False
    bound: int = 0


@dataclass(frozen=True, order=True)
class Edit:
    """A constant's place in the source (lines from 1, columns in bytes) and the text to write there."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Constants:
    """Reads constants through names, loops, tables and helper functions; what the program is given is left out."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def reach(self, node: ast.expr, scope: int, near: bool = False, depth: int = 0) -> Iterator[Found]:
        """Yield the constants that the value of `node` is made of."""
        if depth > _DEPTH:
            return
        if isinstance(node, ast.Constant):
            if node.value is not Ellipsis:
                yield Found(node, near)
        elif isinstance(node, (ast.Name, ast.Attribute)) and (found := self._bindings.of(node, scope)):
            for binding in found:
                yield from self._through(binding, near, depth)
        elif isinstance(node, ast.Call):
            yield from self._call(node, scope, near, depth)
        elif isinstance(node, ast.Dict):
            values = [one for value in node.values for one in self.reach(value, scope, near, depth)]
            yield from values or (one for key in node.keys if key for one in self.reach(key, scope, near, depth))
        elif isinstance(node, ast.BinOp):
            # One operand only: two that change may leave the result as it was. Exponents stay.
            first = list(self.reach(node.left, scope, True, depth))
            fixed = isinstance(node.op, (ast.Pow, ast.LShift))
            yield from first if first or fixed else self.reach(node.right, scope, True, depth)
        else:
            for part in _parts(node):
                yield from self.reach(part, scope, near, depth)

    def _call(self, node: ast.Call, scope: int, near: bool, depth: int) -> Iterator[Found]:
        if self._bindings.is_program_call(node, scope):
            return
        near = near or name_of(node.func) not in _CONTAINERS
        inner = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else ())]
        found = [one for part in inner for one in self.reach(part, scope, near, depth)]
        named = (word.value for word in node.keywords if word.arg not in _SETTINGS)
        yield from found or (one for part in named for one in self.reach(part, scope, near, depth))

    def _through(self, binding: Binding, near: bool, depth: int) -> Iterator[Found]:
        if binding.path is None:
            yield from self.reach(binding.value, binding.scope, near, depth + 1)
        else:
            yield from self._elements(binding.value, binding.path, binding.scope, near, depth + 1)

    def _elements(self, node: ast.expr, path: tuple[int, ...], scope: int, near: bool, depth: int) -> Iterator[Found]:
        """Yield the constants at `path` within each element of an iterable."""
        if depth > _DEPTH:
            return
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            for item in node.elts:
                yield from self._at(item, path, scope, near, depth)
        elif isinstance(node, ast.Call) and name_of(node.func) == "zip" and path:
            if path[0] < len(node.args):
                yield from self._elements(node.args[path[0]], path[1:], scope, near, depth + 1)
        elif isinstance(node, ast.Call) and name_of(node.func) == "enumerate" and path and node.args:
            if path[0] == 1:
                yield from self._elements(node.args[0], path[1:], scope, near, depth + 1)
        elif isinstance(node, ast.Call) and name_of(node.func) == "items" and isinstance(node.func, ast.Attribute):
            yield from self._items(node.func.value, path, scope, near, depth)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            for binding in self._bindings.of(node, scope):
                if binding.path is None:
                    yield from self._elements(binding.value, path, binding.scope, near, depth + 1)
        elif not path:
            yield from self.reach(node, scope, near, depth)

    def _items(self, node: ast.expr, path: tuple[int, ...], scope: int, near: bool, depth: int) -> Iterator[Found]:
        tables = [node] if isinstance(node, ast.Dict) else [one.value for one in self._bindings.of(node, scope)]
        for table in tables:
            if isinstance(table, ast.Dict) and path:
                for part in table.keys if path[0] == 0 else table.values:
                    if part is not None:
                        yield from self._at(part, path[1:], scope, near, depth)

    def _at(self, item: ast.expr, path: tuple[int, ...], scope: int, near: bool, depth: int) -> Iterator[Found]:
        for place in path:
            if isinstance(item, ast.Call) and name_of(item.func) == "param" and place < len(item.args):
                item = item.args[place]
            elif isinstance(item, (ast.Tuple, ast.List)) and place < len(item.elts):
                item = item.elts[place]
            else:
                return
        yield from self.reach(item, scope, near, depth)


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the parts of an expression whose constants are its value's."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, (ast.Subscript, ast.Starred)):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.DictComp) else []


def edit_of(found: Found) -> Edit | None:
    """Return the edit that writes another constant of the same type in the place of `found`."""
    node = found.node
    text = _other(node.value, found)
    if text is None or node.end_lineno is None or node.end_col_offset is None:
        return None
    return Edit(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text)


def _other(value: object, found: Found) -> str | None:
    if value is None or isinstance(value, bool):
        return repr(not value) if isinstance(value, bool) else "False"
    if isinstance(value, (int, float)) and found.bound:
        return str(_BEYOND * found.bound) if found.bound > 0 else f"({_BEYOND * found.bound})"
    if isinstance(value, int):
        return str(value + (_FAR if not found.near else -1 if value > 1 else 1))
    if isinstance(value, float):
        far = value * 1.37 + (0.61 if found.near else _FAR)
        return repr(far) if math.isfinite(far) else "0.5"
    if isinstance(value, complex):
        return f"({value!r} + 3)"
    return (
        repr(_other_text(value)) if isinstance(value, str) else repr(value + b"q") if isinstance(value, bytes) else None
    )


def _other_text(text: str) -> str:
    if text[-1:].isdecimal() and text.isascii():
        return text[:-1] + ("1" if text[-1] == "0" else chr(ord(text[-1]) - 1))
    return text + "q"


def edited(source: str, edits: Iterator[Edit] | list[Edit]) -> str:
    """Return `source` with the edits made; the rest of it keeps its spelling, so that nothing else tells it apart."""
    lines = source.encode().split(b"\n")
    for edit in sorted(set(edits), reverse=True):
        first = edit.line - 1
        last = edit.end_line - 1
        joined = lines[first][: edit.column] + edit.text.encode() + lines[last][edit.end_column :]
        lines[first : last + 1] = [joined]
    return b"\n".join(lines).decode()
