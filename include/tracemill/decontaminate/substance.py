"""Says whether what a problem shares with an item is of the item's question, or only of its form.

A quotation, an identity, the options of a multiple-choice question and stock sentences are shared by honest problems.
So a lexical hit counts only where the rest of the item, its substance, is in the problem too; an item without any is
given away only by a problem that holds little else.
"""

from __future__ import annotations

import re

from tracemill.text.choices import parted
from tracemill.text.meaning.reading import Reading, Unit, read, weight

LEAST = 2.0  # an item whose units weigh less has no substance of its own
SHARE = 0.4  # of the substance that must be shared; half an item has about half of it
ANYTHING = 1.0  # a problem whose units beyond its form weigh less is told from no other by them
STORY = 4.0  # weight of the words around a formula that make it a part of something else
TOLD = 0.25  # of it, in other words
_QUOTED = re.compile(r"\"[^\"\n]{25,}\"|“[^”\n]{25,}”|「[^」\n]{12,}」|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w)){25,}'(?!\w)")
# A run of formula: commands, functions, products of variables, digits, marks. Each part begins its own way.
_FORMULA = re.compile(
    r"(?:\\[a-zA-Z]+|\\.|(?:sin|cos|tan|cot|sec|csc|log|ln|exp)(?![^\W\d_])|\d[a-z]{1,4}(?![a-z])"
    r"|[b-df-hj-np-tv-z]{3}(?![a-z])|[^\W\d_\u3400-\u9fff]{1,2}(?![^\W\d_])"
    r"|[\d\s+\-*/^_=(){}\[\]|<>.&'!])+"
)
_SPECIFIC = re.compile(r"(?<![\d.])(?:[5-9]|\d{2,}|\d+\.\d)")
_SAYS_LITTLE = frozenset({"letter", "formula", "points"})


class Substance:
    """What an item says beyond its form: the units of its text without what only gives it form."""

    def __init__(self, item: str) -> None:
        self._units = substance(item)
        self._mass = _mass(self._units)

    def shared(self, problem: str, reading: Reading, *, numbers: bool = True, whole: bool = False) -> float:
        """The share of the item's substance that the problem has (`reading`: of all its text); of an item without any,
        the share of the problem's substance that the item has. `numbers` says whether numbers count, `whole` whether
        the problem holds the item word for word.
        """
        own = self._units
        other = _said(reading)
        if self._mass < LEAST:
            own, other = other & substance(problem), own
            return _mass(own & other) / _mass(own) if _mass(own) >= ANYTHING else 0.0
        if self._is_formula and not whole and _mass(_without_numbers(other - own)) >= STORY:
            return 0.0
        if not numbers:
            own = _without_numbers(own)
            other = _without_numbers(other)
        return _mass(own & other) / _mass(own) if own else 1.0

    @property
    def _is_formula(self) -> bool:
        """Whether the item only has something computed: a problem with a story about it asks something else."""
        return _mass(_without_numbers(self._units)) < LEAST

    def rest(self, problem: Reading) -> float:
        """What the problem says besides the item."""
        return _mass(_said(problem) - self._units)


def substance(text: str) -> frozenset[Unit]:
    """The units of a text that are in no quotation, no identity, and no choice of a multiple-choice question."""
    stem, choices = parted(text)
    plain = _QUOTED.sub(" ", stem if choices else text)
    return _said(read(_FORMULA.sub(_without_identity, plain)))


def _without_identity(formula: re.Match[str]) -> str:
    """The formula, unless it is an equation without a number of its own."""
    return formula[0] if "=" not in formula[0] or _SPECIFIC.search(formula[0]) else " "


def _said(reading: Reading) -> frozenset[Unit]:
    return frozenset(unit for unit in reading.units if unit[0] not in _SAYS_LITTLE)


def _without_numbers(units: frozenset[Unit]) -> frozenset[Unit]:
    return frozenset(unit for unit in units if unit[0] != "number")


def _mass(units: frozenset[Unit]) -> float:
    return sum(map(weight, units))
