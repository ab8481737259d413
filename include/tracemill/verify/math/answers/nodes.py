"""What a formula is: a tree of operations over numbers and letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Node:
    """A formula: `op` applied to `args`; a number has a `value`, a letter a `name`."""

    op: str
    args: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""
    plain: bool = field(default=False, compare=False)  # a number written as digits


def number(value: Fraction | int) -> Node:
    """A number as a formula."""
    return Node("num", value=Fraction(value))


def symbol(name: str) -> Node:
    """A letter as a formula; e and i are the constants."""
    return Node({"e": "e", "i": "i"}.get(name, "sym"), name=name)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for part in node.args:
        yield from walk(part)


def letters(node: Node) -> frozenset[str]:
    """The names of its letters and unknown functions."""
    return frozenset(one.name for one in walk(node) if one.op in ("sym", "call"))


def is_proper(node: Node) -> bool:
    """Whether it is a fraction of whole numbers below one."""
    if node.op != "div" or any(part.op != "num" or part.value.denominator != 1 for part in node.args):
        return False
    return 0 < node.args[0].value < node.args[1].value
