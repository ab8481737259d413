"""Reads what has a form of its own: matrices and what stands between colons."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verifiers.answers.formula import formula
from tracemill.verifiers.answers.nodes import Node
from tracemill.verifiers.answers.shapes import Colons, Matrix, Quantity, Shape
from tracemill.verifiers.answers.tokens import Token, Tokens, Unreadable, closing, split

Inner = Callable[[Tokens], Shape]


def matrix(tokens: list[Token], inner: Inner) -> Shape | None:
    """The rows of a matrix, or the determinant of one between bars, which is a number."""
    if tokens[0].text != r"\begin" or len(tokens) < 8 or tokens[-4].text != r"\end":
        return None
    kind = tokens[2].text
    if kind not in ("pmatrix", "bmatrix", "matrix", "vmatrix", "Bmatrix", "smallmatrix", "array"):
        raise Unreadable("an environment")
    start = closing(tokens, 4) + 1 if kind == "array" and tokens[4].text == "{" else 4
    lines, _ = split(tokens[start:-4], frozenset((r"\\",)))
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
