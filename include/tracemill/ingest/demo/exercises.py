"""What the demo's maths is made of: families of exercises whose answers are computed, never written by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

Number = int | Fraction
LOW = 11  # the numbers in the texts
HIGH = 96


@dataclass(frozen=True)
class Family:
    """Exercises of one story: `text` with {a}, {b}, {c}; `formula` is shown in the chain; `solve` gives the answer."""

    level: str
    text: str
    formula: str
    solve: Callable[[int, int, int], Number]


@dataclass(frozen=True)
class Exercise:
    """One problem: its text, a line of working, and the answer as LaTeX."""

    level: str
    prompt: str
    working: str
    answer: str
    wrong: str


def exercises(families: Sequence[Family], rng: random.Random, used: set[tuple[int, ...]]) -> Iterator[Exercise]:
    """Endless exercises, the families in turn. `used` keeps sets of numbers unique: no two are near-duplicates."""
    while True:
        for family in families:
            yield _exercise(family, rng, used)


def numbers(rng: random.Random, used: set[tuple[int, ...]]) -> tuple[int, int, int]:
    """Three different numbers that were not drawn together before."""
    while True:
        a, b, c = rng.sample(range(LOW, HIGH), 3)
        key = tuple(sorted((a, b, c)))
        if key not in used:
            used.add(key)
            return a, b, c


def _exercise(family: Family, rng: random.Random, used: set[tuple[int, ...]]) -> Exercise:
    while True:
        a, b, c = numbers(rng, used)
        value = family.solve(a, b, c)
        if value > 0:
            break
    return Exercise(
        level=family.level,
        prompt=family.text.format(a=a, b=b, c=c),
        working=family.formula.format(a=a, b=b, c=c),
        answer=latex(value),
        wrong=latex(value + rng.choice((1, 2, 10))),
    )


def latex(value: Number) -> str:
    """An integer as digits, a fraction as \\frac{n}{d}."""
    exact = Fraction(value)
    return str(exact.numerator) if exact.denominator == 1 else f"\\frac{{{exact.numerator}}}{{{exact.denominator}}}"
