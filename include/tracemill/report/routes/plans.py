"""What plans would have made of problems that several teachers were tried on, and which of two is told to be cheaper.

A plan names teachers in their order: each is asked what the ones before it did not solve. As all of them were tried on
the same problems, what a plan takes and solves of each is known, not guessed from shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

ENOUGH = 10  # problems that could be told, of a group that decides for itself
LEVEL = 0.90
F64 = NDArray[np.float64]
Bits = NDArray[np.bool_]
Plan = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """Problems that all `teachers` were tried on: what each took and whether it solved them, by problem and teacher.

    `told`: problems of which anybody can say whether one of the teachers solved them. `cost` is what plans are chosen
    by: money, or `tokens` where no money is known.
    """

    teachers: tuple[str, ...]
    tokens: F64
    cost: F64
    known: Bits
    solved: Bits

    @property
    def tried(self) -> int:
        """How many problems there are."""
        return len(self.solved)

    @property
    def told(self) -> int:
        """Of how many of them it is known of any teacher whether it solved them."""
        return int(self.known.any(axis=1).sum())

    def spent(self, plan: Plan, what: F64) -> F64:
        """What a plan takes of each problem, in tokens or money."""
        places = self._places(plan)
        open_before = np.ones(len(what), bool)
        total = np.zeros(len(what))
        for place in places:
            total += np.where(open_before, what[:, place], 0.0)
            open_before = open_before & ~self.solved[:, place]
        return total

    def solves(self, plan: Plan) -> Bits:
        """Which problems somebody of the plan solves."""
        return np.asarray(self.solved[:, self._places(plan)].any(axis=1))

    def weighed(self) -> tuple[Sample, F64]:
        """The sample with two problems more of half a weight each: one that all solve, and one that nobody does.

        So has Jeffreys' prior of a share: ten problems that are all solved do not say that the next one will be.
        """
        ends = [self._mean_of(what, right) for right in (True, False) for what in (self.tokens, self.cost)]
        more = np.array([[True], [False]]).repeat(len(self.teachers), axis=1)
        wider = Sample(
            self.teachers,
            np.vstack([self.tokens, ends[0], ends[2]]),
            np.vstack([self.cost, ends[1], ends[3]]),
            np.vstack([self.known, np.ones_like(more)]),
            np.vstack([self.solved, more]),
        )
        return wider, np.append(np.ones(self.tried), [0.5, 0.5])

    def _mean_of(self, what: F64, right: bool) -> F64:
        """What each teacher takes of a problem that it solves, or does not; where there is none, as much as of any."""
        own = self.solved == right
        counts = own.sum(axis=0)
        means = np.where(own, what, 0.0).sum(axis=0) / np.maximum(counts, 1)
        found: F64 = np.where(counts > 0, means, what.mean(axis=0) if right else what.max(axis=0))
        return found

    def _places(self, plan: Plan) -> list[int]:
        return [self.teachers.index(name) for name in plan]


@dataclass(frozen=True)
class Choice:
    """The plan of a group, and whether it is told to be the better one, or may be so by chance."""

    teachers: Plan
    is_told: bool


def strongest(sample: Sample) -> str:
    """The teacher that solves most alone; of several that of the least cost."""
    return min(sample.teachers, key=lambda name: (-_count(sample, (name,)), _cost(sample, (name,)), name))


def is_told_strongest(sample: Sample, name: str, tolerance: float) -> bool:
    """Whether a teacher is told to solve no fewer than any other one but a share of `tolerance`."""
    others = [other for other in sample.teachers if other != name]
    return all(_told_to_solve(sample, (name,), (other,), tolerance) for other in others)


def choose(sample: Sample, name: str, tolerance: float) -> Choice:
    """The plan of the least cost for a solved problem, of those that are told to solve what that teacher does alone.

    They may lack a share of `tolerance`. Where several are alike, that of fewer teachers. It is told to be better if
    its cost is told to be below that of the teacher alone, or, where it is just that, of the next best.
    """
    front = _front(sample, name)
    alone = (name,)
    plans = [plan for size in range(1, len(front) + 1) for plan in combinations(front, size)]
    enough = [plan for plan in plans if _told_to_solve(sample, plan, alone, tolerance)]
    best, *others = sorted(enough, key=lambda plan: _rank(sample, plan))
    other = alone if best != alone else next(iter(others), None)
    return Choice(best, other is None or _told_cheaper(sample, best, other))


def speaks_against(sample: Sample, plan: Plan, name: str) -> bool:
    """Whether a plan is told to solve fewer than that teacher alone, or to cost more for a solved problem."""
    return told_worse(sample, plan, (name,)) or (plan != (name,) and _told_cheaper(sample, (name,), plan))


def told_worse(sample: Sample, plan: Plan, other: Plan) -> bool:
    """Whether a plan is told to solve fewer problems than another."""
    return not set(other) <= set(plan) and _apart(sample, plan, other)[1] < 0


def _front(sample: Sample, name: str) -> Sequence[str]:
    """The teachers that cost less than that one, from the cheapest on, and it; none that one before it beats."""
    most = -1
    front: list[str] = []
    cheaper = [other for other in sample.teachers if _cost(sample, (other,)) < _cost(sample, (name,))]
    for other in sorted(cheaper, key=lambda one: (_cost(sample, (one,)), -_count(sample, (one,)), one)):
        if _count(sample, (other,)) > most:
            front.append(other)
            most = _count(sample, (other,))
    return [*front, name]


def _cost(sample: Sample, plan: Plan) -> float:
    return float(sample.spent(plan, sample.cost).sum())


def _count(sample: Sample, plan: Plan) -> int:
    return int(sample.solves(plan).sum())


def _rank(sample: Sample, plan: Plan) -> tuple[float, int, Plan]:
    solved = _count(sample, plan)
    return _cost(sample, plan) / solved if solved else np.inf, len(plan), plan


def _told_to_solve(sample: Sample, plan: Plan, other: Plan, tolerance: float) -> bool:
    """Whether a plan is told to solve no fewer than another but a share of `tolerance`.

    A cascade that has the other one in it solves whatever that one solves.
    """
    if set(other) <= set(plan):
        return True
    is_enough = _count(sample, plan) >= _count(sample, other) - tolerance * sample.told - 1e-9
    return is_enough and _apart(sample, plan, other)[0] >= -tolerance


def _apart(sample: Sample, plan: Plan, other: Plan) -> tuple[float, float]:
    """The share of problems that a plan solves less that of another, as an interval.

    That of Agresti and Min for paired shares (Statistics in Medicine 24, 2005), which adds half a problem to each of
    the four cells.
    """
    own = sample.known.any(axis=1)
    mine, theirs = sample.solves(plan)[own], sample.solves(other)[own]
    count = len(mine) + 2
    gained = ((mine & ~theirs).sum() + 0.5) / count
    lost = ((theirs & ~mine).sum() + 0.5) / count
    reach = norm.ppf(0.5 + LEVEL / 2) * np.sqrt((gained + lost - (gained - lost) ** 2) / count)
    return float(gained - lost - reach), float(gained - lost + reach)


def _told_cheaper(sample: Sample, plan: Plan, other: Plan) -> bool:
    """Whether a solved problem is told to cost less by a plan than by another, on the same problems.

    Student's interval of the logarithm of the ratio of both costs, by the delta method.
    """
    wider, weights = sample.weighed()
    count = weights.sum()
    parts: list[F64] = []
    logs: list[float] = []
    for one in (other, plan):
        spent, solved = wider.spent(one, wider.cost), wider.solves(one).astype(float)
        means = (weights @ spent / count, weights @ solved / count)
        if means[0] == 0:
            return one == plan
        parts.append(spent / means[0] - solved / means[1])
        logs.append(float(np.log(means[0] / means[1])))
    apart = parts[0] - parts[1]
    error = np.sqrt(weights @ apart**2 / (count - 1) / count)
    return bool(logs[0] - logs[1] - student.ppf(0.5 + LEVEL / 2, sample.tried - 1) * error > 0)
