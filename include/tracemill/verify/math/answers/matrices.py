"""Compares matrices and vectors entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Listed, Matrix, Shape

Compare = Callable[[Shape, Shape], Sameness]


def same_matrices(gold: Shape, answer: Shape, compare: Compare) -> Sameness | None:
    """Entry by entry; a single row or column is a vector, rows in square brackets are a matrix."""
    if not isinstance(gold, Matrix) and not isinstance(answer, Matrix):
        return None
    first = _rows(gold)
    second = _rows(answer)
    if first is None or second is None:
        return None
    if isinstance(gold, Matrix) != isinstance(answer, Matrix):
        first = _flat(first)
        second = _flat(second)
    if [len(row) for row in first] != [len(row) for row in second]:
        return "different"
    found = [compare(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)]
    return "different" if "different" in found else "unknown" if "unknown" in found else "equal"


def _rows(shape: Shape) -> Sequence[Sequence[Shape]] | None:
    if isinstance(shape, Matrix):
        return shape.rows
    if not isinstance(shape, Listed) or shape.kind not in ("tuple", "vector") or shape.brackets in ("[)", "(]"):
        return None
    lines = [one.members for one in shape.members if isinstance(one, Listed) and one.brackets == "[]" == shape.brackets]
    return lines if lines and len(lines) == len(shape.members) else [shape.members]


def _flat(rows: Sequence[Sequence[Shape]]) -> Sequence[Sequence[Shape]]:
    return [[row[0] for row in rows]] if all(len(row) == 1 for row in rows) else rows
