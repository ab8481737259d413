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
    """The plan of a group: `teachers` are () where nobody solved any. `certain`: it is told to be the better one.

    `strongest` solves most alone.
    """

    teachers: Plan
    strongest: str
    certain: bool


def choose(sample: Sample, tolerance: float) -> Choice:
    """The plan of the least cost for a solved problem, of those that are told to solve what the strongest does alone.

    They may lack a share of `tolerance`. Where several are alike, that of fewer teachers. It is certain if its cost is
    told to be below that of the strongest alone.
    """
    front = _front(sample)
    strongest = (front[-1],)
    if not sample.solves(strongest).any():
        return Choice((), front[-1], certain=True)
    plans = [plan for size in range(1, len(front) + 1) for plan in combinations(front, size)]
    enough = [plan for plan in plans if _told_to_solve(sample, plan, strongest, tolerance)]
    best = min(enough, key=lambda plan: _rank(sample, plan))
    return Choice(best, front[-1], best == strongest or _told_cheaper(sample, best, strongest))


def allows(sample: Sample, plan: Plan, tolerance: float) -> bool:
    """Whether a plan solves no fewer of the sample than its strongest teacher but a share of `tolerance`."""
    most = max(int(sample.solves((name,)).sum()) for name in sample.teachers)
    own = int(sample.solves(plan).sum()) if plan else 0
    return own >= most - tolerance * sample.told - 1e-9 and (own > 0 or most == 0)


def _front(sample: Sample) -> Sequence[str]:
    """The teachers from the cheapest to the one that solves most: one that is dearer and solves no more is left out."""
    alone = [
        ((name,), sample.spent((name,), sample.cost).sum(), int(sample.solves((name,)).sum()))
        for name in sample.teachers
    ]
    front: list[str] = []
    most = -1
    for (name,), _, solved in sorted(alone, key=lambda one: (one[1], -one[2], one[0])):
        if solved > most:
            front.append(name)
            most = solved
    return front


def _rank(sample: Sample, plan: Plan) -> tuple[float, int, Plan]:
    return float(sample.spent(plan, sample.cost).sum()) / int(sample.solves(plan).sum()), len(plan), plan


def _told_to_solve(sample: Sample, plan: Plan, other: Plan, tolerance: float) -> bool:
    """Whether a plan is told to solve no fewer than another but a share of `tolerance`.

    By the interval of Agresti and Min for paired shares (Statistics in Medicine 24, 2005), which adds half a problem to
    each of the four cells. A cascade that ends with the other one solves whatever that one solves.
    """
    if set(other) <= set(plan):
        return True
    if not allows(sample, plan, tolerance):
        return False
    own = sample.known.any(axis=1)
    mine, theirs = sample.solves(plan)[own], sample.solves(other)[own]
    count = len(mine) + 2
    gained = ((mine & ~theirs).sum() + 0.5) / count
    lost = ((theirs & ~mine).sum() + 0.5) / count
    error = np.sqrt((gained + lost - (gained - lost) ** 2) / count)
    return bool(gained - lost - norm.ppf(0.5 + LEVEL / 2) * error >= -tolerance)


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
