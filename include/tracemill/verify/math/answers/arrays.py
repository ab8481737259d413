r"""Reads what has a form of its own: matrices, also times a number, vectors by components (`2\hat{i}-\hat{k}`),
functions by cases, and what stands between colons.
"""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.formula import formula
from tracemill.verify.math.answers.nodes import Node, number
from tracemill.verify.math.answers.relations import named
from tracemill.verify.math.answers.shapes import Colons, Conditioned, Listed, Matrix, Quantity, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, closing, split
from tracemill.verify.math.answers.units import NONE

Inner = Callable[[Tokens], Shape]


def scaled_matrix(tokens: list[Token], inner: Inner) -> Shape | None:
    r"""A number before a matrix, multiplied into it: `\frac12 \begin{pmatrix} ...`; or a name that it is given."""
    start = next((at for at, token in enumerate(tokens) if token.text == r"\begin"), 0)
    if not start or (tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1):
        return None
    if tokens[start - 1].text == "=":
        return named(tokens[: start - 1], matrix(tokens[start:], inner))
    factor = tokens[:start][:-1] if tokens[start - 1].text == "*" and start > 1 else tokens[:start]
    node = Node("neg", (number(1),)) if [token.text for token in factor] == ["-"] else formula(factor)
    found = matrix(tokens[start:], inner)
    if not isinstance(found, Matrix):
        raise Unreadable("a factor of what?")
    return Matrix(tuple(tuple(_times(node, cell) for cell in row) for row in found.rows))


def _times(factor: Node, cell: Shape) -> Shape:
    if not isinstance(cell, Quantity) or cell.unit != NONE or cell.hedged:
        raise Unreadable("a factor of something else than a number")
    return Quantity(Node("mul", (factor, cell.node)))


def components(tokens: list[Token], inner: Inner) -> Shape | None:
    r"""A vector as a sum of multiples of unit vectors with hats."""
    if not any(token.text == r"\hat" for token in tokens):
        return None
    found: dict[str, Node] = {}
    at = 0
    while at < len(tokens):
        end = next((place for place in range(at, len(tokens)) if tokens[place].text == r"\hat"), len(tokens))
        name = tokens[end + 2].text if end + 3 < len(tokens) and tokens[end + 1].text == "{" else ""
        if name not in "ijk" or not name or name in found:
            raise Unreadable("a hat over what?")
        found[name] = _multiple(tokens[at:end], first=not at)
        at = end + 4
    names = "ijk" if "k" in found else "ij"
    return Listed("vector", tuple(Quantity(found.get(name, number(0))) for name in names))


def _multiple(tokens: list[Token], first: bool) -> Node:
    """What stands before a unit vector: a sign, where it is not the first one, and perhaps a factor."""
    sign = tokens[0].text if tokens and tokens[0].text in ("+", "-") else ""
    if not sign and not first:
        raise Unreadable("unit vectors side by side")
    node = formula(tokens[bool(sign) :]) if tokens[bool(sign) :] else number(1)
    return Node("neg", (node,)) if sign == "-" else node


def _cases(lines: list[list[Token]], inner: Inner) -> Shape:
    """The rows of a function by cases: a value each, and what it holds for."""
    rows: list[Shape] = []
    for line in lines:
        cells, _ = split(line, frozenset("&"))
        if len(cells) != 2:
            raise Unreadable("a case without a condition")
        value, condition = (_bare(cell) for cell in cells)
        rows.append(Conditioned(inner(value), (inner(condition),)))
    return Listed("set", tuple(rows))


def _bare(cell: list[Token]) -> list[Token]:
    """A cell without "if" before it and without a comma or a point behind it."""
    start = bool(cell) and cell[0].text.lower() in ("if", "for", "when", "当", ",")
    while cell and cell[-1].text in (",", ".", ";"):
        cell = cell[:-1]
    return cell[start:]


def matrix(tokens: list[Token], inner: Inner) -> Shape | None:
    """The rows of a matrix, or the determinant of one between bars, which is a number; or the cases of a function."""
    if tokens[0].text != r"\begin" or len(tokens) < 8 or tokens[-4].text != r"\end":
        return None
    kind = tokens[2].text
    if kind not in ("pmatrix", "bmatrix", "matrix", "vmatrix", "Bmatrix", "smallmatrix", "array", "cases"):
        raise Unreadable("an environment")
    start = closing(tokens, 4) + 1 if kind == "array" and tokens[4].text == "{" else 4
    lines, _ = split(tokens[start:-4], frozenset((r"\\",)))
    if kind == "cases":
        return _cases([line for line in lines if line], inner)
    cells = [[inner(cell) for cell in split(line, frozenset("&"))[0]] for line in lines if line]
    if not cells or len({len(row) for row in cells}) != 1:
        raise Unreadable("rows of several lengths")
    rows = tuple(tuple(row) for row in cells)
    return _determinant(rows) if kind == "vmatrix" else Matrix(rows)


def _determinant(rows: tuple[tuple[Shape, ...], ...]) -> Shape:
    if len(rows) != 2 or len(rows[0]) != 2:
        raise Unreadable("a determinant")
    nodes = [cell.node for row in rows for cell in row if isinstance(cell, Quantity)]
    if len(nodes) != 4:
        raise Unreadable("a determinant")
    return Quantity(Node("sub", (Node("mul", (nodes[0], nodes[3])), Node("mul", (nodes[1], nodes[2])))))


def colons(tokens: list[Token], inner: Inner) -> Shape | None:
    """Formulas between colons."""
    pieces, used = split(tokens, frozenset((":",)))
    return Colons(tuple(formula(piece) for piece in pieces)) if used else None
