r"""Sets of real numbers: intervals, unions, inequalities of one letter, `x \ne 3`, all real numbers without some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tracemill.verify.math.answers.nodes import Node, letters, number
from tracemill.verify.math.answers.sameness import Sameness, same_formula
from tracemill.verify.math.answers.shapes import Domain, Infinite, Interval, Listed, Named, Quantity, Region, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, split
from tracemill.verify.math.answers.units import NONE
from tracemill.verify.math.answers.values import Number, Undecided, context, numeric, value

EVERYTHING = Region((Interval(None, None, False, False),))
_TURNED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le"}


def region_of(shape: Shape) -> Region | None:
    """The region that a shape names: an interval, all reals, a membership; None for other shapes."""
    if isinstance(shape, Region):
        return shape
    if isinstance(shape, Domain) and shape.name == "R":
        return EVERYTHING
    if isinstance(shape, Named):
        found = region_of(shape.what)
        return found and Region(found.parts, shape.name)
    if isinstance(shape, Listed) and shape.kind == "tuple" and len(shape.members) == 2:
        return _interval(shape)
    return None


def by_property(content: Sequence[Token], inner: Callable[[Tokens], Shape]) -> Region:
    r"""The numbers in a set such as `\{x \mid 1 < x \le 2\}`. Raises Unreadable for any other property."""
    pieces, used = split(content, frozenset(("|", ":")))
    name = [token.text for token in pieces[0]]
    if name[1:] in ([r"\in", r"\mathbb", "{", "R", "}"], [r"\in", "R"], [r"\in", r"\mathbb", "R"]):
        name = name[:1]
    if len(used) != 1 or len(name) != 1:
        raise Unreadable("a set by a property")
    found = inner(pieces[1])
    if not isinstance(found, Region) or found.name != name[0]:
        raise Unreadable("a set by a property")
    return found


def points(shape: Shape) -> Region | None:
    """The points of a finite set or an interval, as a region."""
    if isinstance(shape, Listed) and shape.kind == "set":
        nodes = [one.node for one in shape.members if isinstance(one, Quantity) and _is_number(one)]
        if len(nodes) == len(shape.members):
            return Region(tuple(Interval(node, node, True, True) for node in nodes))
    return region_of(shape)


def _interval(shape: Listed) -> Region | None:
    if not all(isinstance(one, Infinite) or _is_number(one) for one in shape.members):
        return None
    low, high = (_end(member) for member in shape.members)
    if isinstance(shape.members[0], Infinite) and shape.members[0].sign > 0:
        return None
    if isinstance(shape.members[1], Infinite) and shape.members[1].sign < 0:
        return None
    with_low = shape.brackets[0] == "[" and low is not None
    with_high = shape.brackets[1] == "]" and high is not None
    return Region((Interval(low, high, with_low, with_high),))


def _is_number(member: Shape) -> bool:
    return isinstance(member, Quantity) and member.unit == NONE and not member.hedged


def _end(member: Shape) -> Node | None:
    return member.node if isinstance(member, Quantity) else None


def inequality(parts: Sequence[Node], signs: Sequence[str]) -> Region | None:
    r"""The values that a letter may have by `x < 3`, `1 \le x < 2` or `x \ne 3`; None for other relations."""
    if len(parts) == 2 and signs[0] in (*_TURNED, r"\ne"):
        name = parts[0]
        bound = parts[1]
        sign = signs[0]
        if around := _around(name, bound, sign):
            return around
        if name.op != "sym":
            name, bound, sign = bound, name, _TURNED.get(sign, sign)
        if name.op != "sym" or letters(bound):
            return None
        return Region(_half(bound, sign).parts, name.name)
    if len(parts) == 3 and parts[1].op == "sym" and not {parts[1].name} & (letters(parts[0]) | letters(parts[2])):
        up = {"<", r"\le"}
        down = {">", r"\ge"}
        if set(signs) <= up:
            return Region((Interval(parts[0], parts[2], signs[0] != "<", signs[1] != "<"),), parts[1].name)
        if set(signs) <= down:
            return Region((Interval(parts[2], parts[0], signs[1] != ">", signs[0] != ">"),), parts[1].name)
    return None


def _around(side: Node, bound: Node, sign: str) -> Region | None:
    """`|x - 2| < 3` and `x^2 < 9`: what lies within, or outside of, a distance around a point."""
    if letters(bound) or sign == r"\ne" or side.op not in ("abs", "pow"):
        return None
    inner = side.args[0]
    distance = bound
    if side.op == "pow":
        if side.args[1] != number(2) or inner.op != "sym":
            return None
        distance = Node("root", (bound, number(2)))
    centre = number(0)
    if inner.op in ("add", "sub") and not letters(inner.args[1]):
        centre = inner.args[1] if inner.op == "sub" else Node("neg", (inner.args[1],))
        inner = inner.args[0]
    if inner.op != "sym" or not _is_positive(bound):
        return None
    low = Node("sub", (centre, distance))
    high = Node("add", (centre, distance))
    closed = sign in (r"\le", r"\ge")
    if sign in ("<", r"\le"):
        return Region((Interval(low, high, closed, closed),), inner.name)
    return Region((Interval(None, low, False, closed), Interval(high, None, closed, False)), inner.name)


def _is_positive(node: Node) -> bool:
    try:
        return bool(_order(node) > 0)
    except Undecided:
        return False


def _half(bound: Node, sign: str) -> Region:
    if sign == r"\ne":
        return Region((Interval(None, bound, False, False), Interval(bound, None, False, False)))
    below = sign in ("<", r"\le")
    closed = sign in (r"\le", r"\ge")
    return Region((Interval(None, bound, False, closed),) if below else (Interval(bound, None, closed, False),))


def without(whole: Region, removed: Sequence[Node]) -> Region | None:
    """All reals but some points; None where the whole is something else."""
    if whole.parts != EVERYTHING.parts:
        return None
    ends: list[Node | None] = [None, *sorted(removed, key=_order), None]
    return Region(tuple(Interval(low, high, False, False) for low, high in pairwise(ends)))


def union(regions: Sequence[Region]) -> Region:
    """All parts of all regions. Raises Unreadable where they are of several variables."""
    return Region(tuple(part for region in regions for part in region.parts), _name(regions))


def _name(regions: Sequence[Region]) -> str:
    names = {region.name for region in regions}
    if len(names) > 1:
        raise Unreadable("several variables")
    return names.pop() if names else ""


def intersection(first: Region, second: Region) -> Region | None:
    """What two half-lines, or any region and all numbers but one, have in common; None for other pairs."""
    for hole, region in ((first, second), (second, first)):
        if _is_all_but_one(hole):
            return _punctured(region, hole)
    parts = sorted([*first.parts, *second.parts], key=lambda part: part.low is None)
    if len(parts) != 2 or parts[0].high is not None or parts[1].low is not None:
        return None
    one = Interval(parts[0].low, parts[1].high, parts[0].with_low, parts[1].with_high)
    return Region((one,), _name((first, second)))


def _is_all_but_one(region: Region) -> bool:
    """Whether a region is `x \\ne a`."""
    if len(region.parts) != 2:
        return False
    left, right = region.parts
    return left.low is right.high is None and left.high is not None and left.high == right.low and not left.with_high


def _punctured(region: Region, hole: Region) -> Region | None:
    """A region without one point."""
    point = hole.parts[0].high
    try:
        place = _order(point)
        parts = [part for one in region.parts for part in _cut(one, point, place)]
    except Undecided:
        return None
    return Region(tuple(parts), _name((region, hole)))


def _cut(part: Interval, point: Node | None, place: Number) -> list[Interval]:
    low = part.low is None or _order(part.low)
    above = part.low is None or place > low or (place == low and part.with_low)
    below = part.high is None or place < _order(part.high) or (place == _order(part.high) and part.with_high)
    if not (above and below):
        return [part]
    pieces = [Interval(part.low, point, part.with_low, False), Interval(point, part.high, False, part.with_high)]
    return [one for one in pieces if one.low is None or one.high is None or _order(one.low) < _order(one.high)]


def same_region(left: Region, right: Region) -> Sameness:
    """Whether two regions hold the same numbers: their intervals, merged and in order, have the same ends."""
    if left.name and right.name and left.name != right.name:
        return "unknown"
    try:
        first = _merged(left)
        second = _merged(right)
    except Undecided:
        first = list(left.parts)
        second = list(right.parts)
    if len(first) != len(second):
        return "different"
    found = [_same_interval(one, other) for one, other in zip(first, second, strict=True)]
    if "different" in found:
        return "different"
    return "unknown" if "unknown" in found else "equal"


def _same_interval(one: Interval, other: Interval) -> Sameness:
    if (one.with_low, one.with_high) != (other.with_low, other.with_high):
        return "different"
    found: list[Sameness] = []
    for first, second in ((one.low, other.low), (one.high, other.high)):
        if first is None or second is None:
            found.append("equal" if first is second else "different")
        else:
            found.append(same_formula(first, second))
    return "different" if "different" in found else "unknown" if "unknown" in found else "equal"


def _order(node: Node | None) -> Number:
    if node is None:
        return context.mpf("-inf")
    found = numeric(value(node, {}) if not letters(node) else _no_number())
    if context.im(found):
        raise Undecided("not real")
    return found


def _no_number() -> Number:
    raise Undecided("a letter")


def _merged(region: Region) -> list[Interval]:
    """The intervals in order, those that touch made one."""
    merged: list[Interval] = []
    for part in sorted(region.parts, key=lambda one: (_order(one.low), not one.with_low)):
        last = merged[-1] if merged else None
        if last is None or (last.high is not None and not _touch(last, part)):
            merged.append(part)
            continue
        if last.high is None:
            continue
        beyond = part.high is None or _order(part.high) > _order(last.high)
        high, with_high = (part.high, part.with_high) if beyond else (last.high, last.with_high)
        if part.high is not None and not beyond and _order(part.high) == _order(last.high):
            with_high = last.with_high or part.with_high
        merged[-1] = Interval(last.low, high, last.with_low, with_high)
    return merged


def _touch(last: Interval, part: Interval) -> bool:
    low = _order(part.low)
    high = _order(last.high)
    return bool(low < high or (low == high and (part.with_low or last.with_high)))
