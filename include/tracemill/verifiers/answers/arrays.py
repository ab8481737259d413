"""Reads what has a form of its own: matrices, ratios and times between colons, dates."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verifiers.answers.formula import formula
from tracemill.verifiers.answers.nodes import Node
from tracemill.verifiers.answers.shapes import Colons, Date, Matrix, Quantity, Shape
from tracemill.verifiers.answers.tokens import Token, Tokens, Unreadable, closing, split

_YEAR = range(1000, 3000)
Inner = Callable[[Tokens], Shape]


def date(tokens: list[Token], inner: Inner) -> Shape | None:
    """Year, month, day between hyphens or slashes."""
    texts = [token.text for token in tokens]
    if len(tokens) != 5 or texts[1] != texts[3] or texts[1] not in "-/" or len(texts[0]) != 4:
        return None
    if not all(texts[place].isdigit() for place in (0, 2, 4)):
        return None
    parts = tuple(int(texts[place]) for place in (0, 2, 4))
    return Date(parts) if parts[0] in _YEAR and parts[1] <= 12 and parts[2] <= 31 else None


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
