"""Compares equations and inequalities: one is the other if the differences of their sides have one constant ratio."""

from __future__ import annotations

from tracemill.verify.math.answers.nodes import Node, letters, number, walk
from tracemill.verify.math.answers.sameness import Sameness, same_formula
from tracemill.verify.math.answers.shapes import Chain, Named, Quantity, Shape
from tracemill.verify.math.answers.units import NONE
from tracemill.verify.math.answers.values import Number, Undecided, context, numeric, value

_TURNED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le", "=": "=", r"\ne": r"\ne"}
_PLACES = (
    (7, 11, 13, 17, 19, 23, 29, 31),
    (41, 37, 5, 3, 43, 47, 53, 59),
)


def same_chain(gold: Shape, answer: Shape) -> Sameness:
    """Whether two relations of two sides say the same of the same letters."""
    first = _sides(gold)
    second = _sides(answer)
    if first is None or second is None:
        return _same_parts(gold, answer)
    (left, sign), (right, other) = first, second
    names = letters(left) | letters(right)
    if not any(part.op == "sym" for part in walk(left)) or any(part.op == "call" for part in walk(left)):
        return "unknown"
    if letters(left) != letters(right) or not names:
        return "different" if sign == other == "=" and letters(left) != letters(right) else "unknown"
    ratio = _ratio(left, right)
    if ratio is None:
        return "unknown"
    if same_formula(left, Node("mul", (ratio, right))) != "equal":
        return "unknown" if sign != other or sign != "=" else "different"
    positive = _positive(ratio)
    if positive is None:
        return "unknown"
    return "equal" if sign == (other if positive else _TURNED[other]) else "different"


def _same_parts(gold: Shape, answer: Shape) -> Sameness:
    """Longer chains: the same signs, and each part equal."""
    if not isinstance(gold, Chain) or not isinstance(answer, Chain):
        return "unknown"
    if gold.signs != answer.signs:
        answer = Chain(answer.parts[::-1], tuple(_TURNED.get(sign, sign) for sign in answer.signs[::-1]))
    if gold.signs != answer.signs:
        return "unknown"
    found = [same_formula(one, other) for one, other in zip(gold.parts, answer.parts, strict=True)]
    return "equal" if set(found) == {"equal"} else "unknown"


def _sides(shape: Shape) -> tuple[Node, str] | None:
    """The difference of both sides, and the sign between them."""
    if isinstance(shape, Chain) and len(shape.parts) == 2 and shape.signs[0] in _TURNED:
        return Node("sub", shape.parts), shape.signs[0]
    if isinstance(shape, Named) and shape.node and isinstance(shape.what, Quantity) and shape.what.unit == NONE:
        if shape.what.hedged:
            return None
        return Node("sub", (shape.node, shape.what.node)), "="
    return None


def _ratio(left: Node, right: Node) -> Node | None:
    """What the first is of the second where both are not zero, as a formula of numbers alone."""
    names = sorted(letters(left) | letters(right))
    for places in _PLACES:
        at = {name: places[i % len(places)] + i for i, name in enumerate(names)}
        first = _at(left, at)
        second = _at(right, at)
        try:
            if value(first, {}) and value(second, {}):
                return Node("div", (first, second))
        except (Undecided, KeyError):
            continue
    return None


def _at(node: Node, at: dict[str, int]) -> Node:
    if node.op == "sym":
        return number(at[node.name])
    return Node(node.op, tuple(_at(part, at) for part in node.args), node.value, node.name)


def _positive(ratio: Node) -> bool | None:
    try:
        found = value(ratio, {})
    except Undecided:
        return None
    real: Number = numeric(found)
    return None if context.im(real) else bool(context.re(real) > 0)
