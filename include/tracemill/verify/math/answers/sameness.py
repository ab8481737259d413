r"""Whether two formulas are equal: by values at several points, exactly where they are fractions, else to 30 digits,
and where these agree to 200: `\sqrt{10^{40}+1}` is not `10^{20}`.

Letters are equal by name, letter case, subscript and primes. A polynomial identity that held at these points without
being one would need a coincidence at each (Schwartz-Zippel: degree / 10^6).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from tracemill.verify.math.answers.nodes import Node, letters, walk
from tracemill.verify.math.answers.values import ALL_DIGITS, Number, Undecided, context, finer, numeric, value

Sameness = Literal["equal", "different", "unknown"]
_POINTS = 8  # points tried and wanted; the first three have positive letters alone
_ENOUGH = 3
_CONSTANTS = "CcKkD"  # what people call a free constant
_SAME = 1e-30  # relative distances; what lies between is unknown
_APART = 1e-12


def same_formula(left: Node, right: Node) -> Sameness:
    """Whether the two have one value wherever both have a real one (or any, where one names i)."""
    if left == right:
        return "equal"
    names = sorted(letters(left) | letters(right))
    complex_too = _complex(left) or _complex(right)
    found: list[Sameness | None] = []
    for point in range(_POINTS if names else 1):
        found.append(_at(left, right, {name: _place(name, point) for name in names}, complex_too))
        if found[-1] == "different":
            lost = _baseless(left) or _baseless(right) or _renamed(left, right) or _but_for_constant(left, right)
            return "unknown" if lost else "different"
    enough = found.count("equal") >= (_ENOUGH if names else 1)
    return "equal" if enough and "unknown" not in found else "unknown"


def _renamed(left: Node, right: Node) -> bool:
    """Whether one letter has another name on the other side: a constant `C` and `A`, `f(x)` and `f(t)`."""
    ours = letters(left) - letters(right)
    theirs = letters(right) - letters(left)
    if len(ours) != 1 or len(theirs) != 1:
        return False
    return same_formula(_with_name(left, *ours, *theirs), right) == "equal"


def _but_for_constant(left: Node, right: Node) -> bool:
    """Whether one side is the other with `+ C` behind it."""
    shorter, longer = sorted((left, right), key=lambda node: len(letters(node)))
    free = constant_of(longer)
    return free is not None and free not in letters(shorter) and same_formula(longer.args[0], shorter) == "equal"


def constant_of(node: Node) -> str | None:
    """The letter of a free constant that is added to a formula of other letters, as behind an antiderivative."""
    if node.op not in ("add", "sub") or node.args[1].op != "sym" or node.args[1].name[0] not in _CONSTANTS:
        return None
    name = node.args[1].name
    return name if letters(node.args[0]) and name not in letters(node.args[0]) else None


def same_antiderivative(left: Node, right: Node) -> bool:
    """Whether two formulas with a free constant each differ by nothing but a constant."""
    if constant_of(left) is None or constant_of(right) is None:
        return False
    one = left.args[0]
    other = right.args[0]
    names = sorted(letters(one) | letters(other))
    try:
        apart = []
        for point in range(_ENOUGH + 1):
            at = {name: _place(name, point) for name in names}
            apart.append(numeric(value(one, at)) - numeric(value(other, at)))
    except Undecided:
        return False
    size = max(map(abs, apart)) + 1
    return all(abs(distance - apart[0]) <= size * _SAME for distance in apart)


def _with_name(node: Node, name: str, other: str) -> Node:
    args = tuple(_with_name(part, name, other) for part in node.args)
    return replace(node, args=args, name=other if node.op in ("sym", "call") and node.name == name else node.name)


def _at(left: Node, right: Node, at: dict[str, Fraction], complex_too: bool) -> Sameness | None:
    """What one point shows: None where neither has a real value, unknown where only one has."""
    try:
        first = value(left, at)
        second = value(right, at)
        if same_number(first, second) == "equal" and not _exact(first, second):
            with finer():
                if not _one(value(left, at), value(right, at)):
                    return "unknown"
    except Undecided:
        return None if at else "unknown"
    if complex_too or not at or (_real(first) and _real(second)):
        return same_number(first, second)
    if _real(first) != _real(second):
        return "unknown"
    return "equal" if same_number(first, second) == "equal" else None


def same_number(first: Number, second: Number) -> Sameness:
    """Whether two values are one: exactly for fractions, else to 30 digits."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return "equal" if first == second else "different"
    left = numeric(first)
    right = numeric(second)
    scale = max(abs(left), abs(right))
    distance = abs(left - right)
    if distance <= scale * _SAME:
        return "equal"
    return "different" if distance > scale * _APART else "unknown"


def _exact(first: Number, second: Number) -> bool:
    return isinstance(first, Fraction) and isinstance(second, Fraction)


def _one(first: Number, second: Number) -> bool:
    """Whether two values agree to all digits but the last that rounding may have taken."""
    left = numeric(first)
    right = numeric(second)
    return bool(abs(left - right) <= max(abs(left), abs(right)) * ALL_DIGITS)


def _real(number: Number) -> bool:
    return isinstance(number, Fraction) or not context.im(number)


def _place(name: str, point: int) -> Fraction:
    digest = hashlib.blake2b(f"{point}|{name}".encode(), digest_size=6).digest()
    size = Fraction(int.from_bytes(digest[:4], "big") % 1_000_000 + 17, 333_337)
    return -size if point >= 3 and digest[4] % 3 else size


def _complex(node: Node) -> bool:
    return any(one.op == "i" for one in walk(node))


def _baseless(node: Node) -> bool:
    return any(one.op == "fn" and one.name == r"\log" and len(one.args) == 1 for one in walk(node))
