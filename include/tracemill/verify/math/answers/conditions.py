"""Compares answers that hold under conditions: `kπ, k ∈ Z`, `x + 1 for x > 0`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracemill.verify.math.answers.nodes import Node, letters
from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Conditioned, Domain, Listed, Named, Quantity, Shape

Compare = Callable[[Shape, Shape], Sameness]


def same_conditioned(gold: Shape, answer: Shape, compare: Compare) -> Sameness | None:
    """Conditions must be the same, but that an answer or reference may leave out where an integer lives."""
    if not isinstance(gold, Conditioned) and not isinstance(answer, Conditioned):
        return None
    first, left = (gold.main, gold.conditions) if isinstance(gold, Conditioned) else (gold, ())
    second, right = (answer.main, answer.conditions) if isinstance(answer, Conditioned) else (answer, ())
    second, right, family = _renamed(second, left, right)
    main = compare(first, second)
    if main != "equal":
        return "unknown" if family or left or right else main
    return "equal" if _same_conditions(left, right, compare) else "unknown"


def _same_conditions(left: Sequence[Shape], right: Sequence[Shape], compare: Compare) -> bool:
    if left and right:
        return len(left) == len(right) and all(any(compare(one, other) == "equal" for other in right) for one in left)
    return all(isinstance(one, Named) and one.what == Domain("Z") for one in [*left, *right])


def _renamed(second: Shape, left: tuple[Shape, ...], right: tuple[Shape, ...]) -> tuple[Shape, tuple[Shape, ...], bool]:
    """The second side with the first one's name for the integer that each runs through."""
    names = [{c.name for c in side if isinstance(c, Named) and c.what == Domain("Z")} for side in (left, right)]
    if names[0] and names[1] and names[0] != names[1] and len(names[0]) == len(names[1]) == 1:
        old = next(iter(names[1]))
        new = next(iter(names[0]))
        if old != new and new not in _names(second):
            return _with_name(second, old, new), (Named(new, Domain("Z")),) * len(right), True
    return second, right, bool(names[0] or names[1])


def of_same_letter(gold: Named, answer: Named) -> Shape | None:
    """What `f(t)` is with the letter of `f(x)`, where both are values of one function at one letter; else None."""
    one = gold.name.split()
    other = answer.name.split()
    if one[:2] != other[:2] or len(one) != 4 or len(other) != 4 or one[1::2] != ["(", ")"]:
        return None
    fits = isinstance(answer.what, Quantity) and one[2] not in _names(answer.what) and other[2] not in _names(gold.what)
    return _with_name(answer.what, other[2], one[2]) if fits and one[2].isalpha() and other[2].isalpha() else None


def _names(shape: Shape) -> frozenset[str]:
    if isinstance(shape, Quantity):
        return letters(shape.node)
    if isinstance(shape, Named):
        return _names(shape.what)
    if isinstance(shape, Listed):
        return frozenset().union(*map(_names, shape.members))
    return frozenset()


def _with_name(shape: Shape, old: str, new: str) -> Shape:
    if isinstance(shape, Quantity):
        return Quantity(_node_with_name(shape.node, old, new), shape.unit, shape.step)
    if isinstance(shape, Named):
        return Named(shape.name, _with_name(shape.what, old, new), shape.node)
    if isinstance(shape, Listed):
        return Listed(shape.kind, tuple(_with_name(one, old, new) for one in shape.members), shape.brackets)
    return shape


def _node_with_name(node: Node, old: str, new: str) -> Node:
    args = tuple(_node_with_name(part, old, new) for part in node.args)
    return Node(node.op, args, node.value, new if node.name == old else node.name, node.plain)
