r"""Compares families of values: `\frac{\pi}{2} + k\pi` and `x = 5k - 2` are residues of a modulus like `3 \pmod 5`."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.nodes import Node, letters, number, walk
from tracemill.verify.math.answers.sameness import Sameness, same_formula
from tracemill.verify.math.answers.shapes import Conditioned, Congruence, Domain, Listed, Named, Quantity, Shape
from tracemill.verify.math.answers.units import NONE

_FREE = frozenset("knmljt")  # letters that run through the integers where nobody says what they are
Compare = Callable[[Shape, Shape], Sameness]


def same_family(gold: Shape, answer: Shape, compare: Compare) -> Sameness | None:
    """Whether two families are one, where at least one says that its letter is an integer; None for other shapes."""
    if not _is_family(gold) and not _is_family(answer):
        return None
    if isinstance(gold, Congruence) and isinstance(answer, Congruence):
        return None
    first = _residues(gold)
    second = _residues(answer)
    if first is None or second is None:
        return None
    if not _is_named_alike(gold, answer):
        return "unknown"
    return "equal" if compare(first, second) == "equal" else None


def _is_family(shape: Shape) -> bool:
    return isinstance(shape, Congruence) or (
        isinstance(shape, Conditioned)
        and any(isinstance(one, Named) and one.what == Domain("Z") for one in shape.conditions)
    )


def _is_named_alike(gold: Shape, answer: Shape) -> bool:
    names = {_name(one) for one in (gold, answer)} - {""}
    return len(names) < 2


def _name(shape: Shape) -> str:
    if isinstance(shape, Conditioned):
        return _name(shape.main)
    if isinstance(shape, Congruence):
        return shape.name.name if shape.name is not None else ""
    return shape.name if isinstance(shape, Named) else ""


def _residues(shape: Shape) -> Shape | None:
    """The shape with its residue and modulus in the place of each formula of one running letter."""
    if isinstance(shape, Congruence):
        return Congruence(None, shape.residue, shape.modulus)
    if not isinstance(shape, Conditioned):
        return _of_letter(shape, _FREE)
    running = {one.name for one in shape.conditions if isinstance(one, Named) and one.what == Domain("Z")}
    return _of_letter(shape.main, frozenset(running)) if len(running) == len(shape.conditions) == 1 else None


def _of_letter(shape: Shape, running: frozenset[str]) -> Shape | None:
    if isinstance(shape, Named):
        return _of_letter(shape.what, running)
    if isinstance(shape, Listed) and shape.kind in ("list", "set"):
        members = [_of_letter(one, running) for one in shape.members]
        kept = tuple(one for one in members if one is not None)
        return Listed("set", kept) if len(kept) == len(members) else None
    if not isinstance(shape, Quantity) or shape.hedged or shape.unit != NONE:
        return None
    names = letters(shape.node)
    return _linear(shape.node, next(iter(names))) if len(names) == 1 and names <= running else None


def _linear(node: Node, name: str) -> Shape | None:
    """`a + p k` as the residue a of the modulus p; None where the steps from k to k + 1 are not all the same."""
    if any(part.op == "call" for part in walk(node)):
        return None
    at = [_at(node, name, place) for place in (0, 1, 2, 5)]
    step = Node("sub", (at[1], at[0]))
    even = same_formula(Node("sub", (at[2], at[1])), step) == "equal"
    far = same_formula(Node("sub", (at[3], at[0])), Node("mul", (number(5), step))) == "equal"
    return Congruence(None, at[0], Node("abs", (step,))) if even and far else None


def _at(node: Node, name: str, place: int) -> Node:
    if node.op == "sym" and node.name == name:
        return number(place)
    return Node(node.op, tuple(_at(part, name, place) for part in node.args), node.value, node.name)
