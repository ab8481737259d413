"""What an answer can be. Two answers are compared by their shapes; shapes that no written rule relates say nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from tracemill.verify.math.answers.nodes import Node
from tracemill.verify.math.answers.units import NONE, Unit


@dataclass(frozen=True)
class Quantity:
    """A formula with a unit. `step` is the worth of the last place of a number written as a decimal, else None.

    `hedged` says that it is stated as a rough value ("about 5").
    """

    node: Node
    unit: Unit = NONE
    step: Fraction | None = None
    hedged: bool = False


def exact(shape: Shape) -> Shape:
    """The shape without any "about"."""
    if isinstance(shape, Quantity):
        return replace(shape, hedged=False)
    if isinstance(shape, Listed):
        return replace(shape, members=tuple(map(exact, shape.members)))
    return replace(shape, what=exact(shape.what)) if isinstance(shape, Named) else shape


@dataclass(frozen=True)
class Infinite:
    """Plus or minus infinity."""

    sign: int


@dataclass(frozen=True)
class Words:
    """Words and numbers in their order, folded."""

    words: tuple[str, ...]
    label: bool = False  # capital letters that name something: AB, CAB


@dataclass(frozen=True)
class Choice:
    """One or more letters of a multiple choice, as written, and the text behind a single one."""

    letters: str
    text: Shape | None = None
    certain: bool = True  # in brackets or beside a word; else a letter that could be one of a formula


@dataclass(frozen=True)
class Based:
    """Digits with a base."""

    digits: str
    base: int


@dataclass(frozen=True)
class Listed:
    """Members: of a list (any order where they are values), a tuple or vector (in order), or a set."""

    kind: str  # list, tuple, vector, set; same: forms of one value
    members: tuple[Shape, ...]
    brackets: str = ""  # of a tuple: "(]" and the like; "or" for a list of which one holds


@dataclass(frozen=True)
class Named:
    """A name and what it is: x = 3, f(x) = 2x, x in S. `node` is the name as a formula, where it is one."""

    name: str
    what: Shape
    node: Node | None = None


@dataclass(frozen=True)
class Chain:
    """Formulas with the signs between them: an equation, an inequality, a longer chain."""

    parts: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Interval:
    """From low to high; None is infinite. Whether each end belongs to it."""

    low: Node | None
    high: Node | None
    with_low: bool
    with_high: bool


@dataclass(frozen=True)
class Region:
    """A union of intervals and points of a variable, whose name is blank where it is not said."""

    parts: tuple[Interval, ...]
    name: str = ""


@dataclass(frozen=True)
class Domain:
    """A named set: R, Z, N, Q, C, with marks such as + or *."""

    name: str


@dataclass(frozen=True)
class Matrix:
    """Rows of members."""

    rows: tuple[tuple[Shape, ...], ...]


@dataclass(frozen=True)
class Congruence:
    """A residue and its modulus, and the letter that has it, if one is named."""

    name: Node | None
    residue: Node
    modulus: Node


@dataclass(frozen=True)
class Colons:
    """Numbers between colons: a ratio, or a time whose half of the day is left open."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Clock:
    """A time of day on the clock of 24 hours."""

    hour: int
    minute: int
    second: int


@dataclass(frozen=True)
class Date:
    """Year (0 where none is said), month, day."""

    parts: tuple[int, int, int]


@dataclass(frozen=True)
class Conditioned:
    """An answer and what it holds for."""

    main: Shape
    conditions: tuple[Shape, ...]


@dataclass(frozen=True)
class Opaque:
    """What nobody here can read: equal to the same text alone."""

    text: str


Shape = (
    Quantity | Infinite | Words | Choice | Based | Listed | Named | Chain | Region | Domain | Matrix | Congruence
    | Colons | Clock | Date | Conditioned | Opaque
)  # fmt: skip
