"""Decides whether a problem is a benchmark item in other words, by what of its quantities and wording it shares.

The score is a logistic function of seven measured shares. Its weights were fitted to hand-written paraphrases and
translations of competition problems against 4,000 nearest pairs of unrelated ones (docs/design/decontamination.md);
each is positive: sharing more never lowers it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracemill.text.meaning.concepts import AIMS, opposed
from tracemill.text.meaning.reading import Reading, Unit, weight

SMOOTHING = 0.3  # of the weight of a kind: a text without numbers, or formulas, neither agrees nor disagrees
OFFSET = -15.0
OTHER_QUESTION = 5.0  # taken off where both say what is asked for, and nothing of it is the same
# Neither has most of the other's numbers: a variant, which is the template rule's business.
OTHER_NUMBERS = 4.0
NUMBERS = 0.6
# A short item is found in many a longer problem: there most of the problem must be the item's.
SHORT = 6.0
MOST = 0.6
CROWDED = 3.0
# Another telling shares something in each of its quarters; a text that only holds a piece of the item does not.
PATCHY = 2.0
PATCHY_BELOW = 0.12
# What only the one has and only the other in its place makes another problem: no telling changes a sum into a product,
# seldom a number into another, or what is asked for into something else that the first does not even mention.
CONTRAST = 7.0
OTHER_VALUE = 4.0
OTHER_AIM = 4.0
SAYS_SOMETHING = 0.4  # weight of a number: 0, 1 and 2 say less than others, but they say it on both sides
SHOWN = 12  # units that the evidence lists of each sort


@dataclass(frozen=True)
class Alignment:
    """`score` in [0, 1]; `evidence` says in JSON what is equal and what differs."""

    score: float
    evidence: str


class Aligner:
    """Aligns problems with items. A unit that many of the items have counts less."""

    def __init__(self, items: Sequence[Reading]) -> None:
        known = Counter(unit for item in items for unit in item.units)
        self._weights = {unit: weight(unit) / (1 + 0.25 * math.log(count)) for unit, count in known.items()}

    def align(self, item: Reading, problem: Reading) -> Alignment:
        """How far the problem is the item."""
        both = item.units & problem.units
        shared = self._mass(both)
        own = self._mass(item.units)
        other = self._mass(problem.units)
        of_item = shared / max(own, 0.1)
        of_problem = shared / max(other, 0.1)
        numbers_of_item = self._share(item, both, _is_number)
        numbers_of_problem = self._share(problem, both, _is_number)
        formulas = self._share(item, both, _is_formula)
        crowded = own < SHORT and of_problem < MOST
        other_numbers = max(numbers_of_item, numbers_of_problem) < NUMBERS
        patchy = other > SHORT and self._weakest_quarter(problem, both) < PATCHY_BELOW
        other_question = _asks_otherwise(item, problem)
        logit = (
            OFFSET
            + 2.1 * of_item
            + 3.4 * of_problem
            + 3.7 * math.sqrt(of_item * of_problem)
            + 1.9 * numbers_of_item
            + 2.9 * numbers_of_problem
            + 2.9 * math.log1p(shared)
            + 1.0 * formulas
            - OTHER_QUESTION * other_question
            - OTHER_NUMBERS * other_numbers
            - CROWDED * crowded
            - PATCHY * patchy
            - self._exchanged(item, problem, both)
        )
        facts = {
            "of_item": round(of_item, 3),
            "of_problem": round(of_problem, 3),
            "numbers": [round(numbers_of_item, 3), round(numbers_of_problem, 3)],
            "same": _shown(both, self._weight),
            "only_item": _shown(item.units - both, self._weight),
            "only_problem": _shown(problem.units - both, self._weight),
            "asked": [sorted(item.asked), sorted(problem.asked)],
        }
        return Alignment(1 / (1 + math.exp(-logit)), json.dumps(facts, ensure_ascii=False))

    def _exchanged(self, item: Reading, problem: Reading, both: frozenset[Unit]) -> float:
        """What is taken off for things of the item in whose place the problem has others."""
        alone = item.units - both, problem.units - both
        concepts = [{str(value) for kind, value in side if kind == "concept"} for side in alone]
        aims = [concepts[0] & item.asked & AIMS, concepts[1] & problem.asked & AIMS]
        numbers = [sum(weight(unit) for unit in side if _is_number(unit)) for side in alone]
        values = min(numbers) >= SAYS_SOMETHING and max(numbers) > SAYS_SOMETHING
        return CONTRAST * opposed(*concepts) + OTHER_VALUE * values + OTHER_AIM * all(aims)

    def _weight(self, unit: Unit) -> float:
        known = self._weights.get(unit)
        return weight(unit) if known is None else known

    def _mass(self, units: Iterable[Unit]) -> float:
        return sum(self._weight(unit) for unit in units)

    def _weakest_quarter(self, problem: Reading, both: frozenset[Unit]) -> float:
        """The least share that any quarter of the problem (by weight, letters aside) has in common with the item."""
        told = [(self._weight(unit), unit in both) for unit in problem.order if unit[0] != "letter"]
        total = sum(mass for mass, _ in told)
        before = 0.0
        quarters = [0.0] * 4
        common = [0.0] * 4
        for mass, is_common in told:
            quarter = min(3, int(4 * before / total))
            before += mass
            quarters[quarter] += mass
            common[quarter] += mass * is_common
        return min((c / q for c, q in zip(common, quarters, strict=True) if q), default=0.0)

    def _share(self, of: Reading, both: frozenset[Unit], kind: Callable[[Unit], bool]) -> float:
        """The share of one kind of units of a text that the other has too."""
        all_of_kind = self._mass(filter(kind, of.units))
        return (self._mass(filter(kind, both)) + SMOOTHING) / (all_of_kind + SMOOTHING)


def _asks_otherwise(item: Reading, problem: Reading) -> bool:
    """Whether both say what they ask for, and it is not the same: how many, and how likely."""
    if any(one.counts and other.asked == {"probability"} for one, other in ((item, problem), (problem, item))):
        return "probability" not in item.asked & problem.asked
    return bool(item.asked and problem.asked and not item.asked & problem.asked)


def _is_number(unit: Unit) -> bool:
    return unit[0] == "number"


def _is_formula(unit: Unit) -> bool:
    return unit[0] == "formula"


def _shown(units: Iterable[Unit], mass: Callable[[Unit], float]) -> list[str]:
    """The units that say most, as text."""
    ordered = sorted(units, key=lambda unit: (-mass(unit), unit[0], str(unit[1])))
    return [str(value) for _, value in ordered[:SHOWN]]
