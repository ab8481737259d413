"""The most that any rule could save on the zoo's truth: the best test that knows the very rates it will meet.

Of each teacher, category and level it has the pass rates of just these problems as its prior, not a fit to a pilot, and
it weighs tokens, not samples. So no rule that reads passes and fails alone can do better, and a pilot does worse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.grading.frontier import MOST, REFERENCE, Fit, Held, class_of, error_of, group_of_row, lengths_of
from benchmarks.grading.truth import COUNTS, SAMPLES, TEACHERS, Known, known

PRICES = np.logspace(-7, -2, 120)  # of a token, in shares of a wrong class
LEAST = 2
F64 = NDArray[np.float64]


def figures() -> dict[str, float | int]:
    """The share of tokens that the best of all rules saves at the error of four passes of each teacher."""
    if not COUNTS.exists():
        return {}
    members: defaultdict[tuple[object, ...], list[Known]] = defaultdict(list)
    for one in known():
        members[one.teacher, *group_of_row(one)].append(one)
    states = [_States(rows) for rows in members.values()]
    frontier = [_measured(states, price) for price in PRICES]
    held = [_held(name, seed) for seed, name in enumerate(TEACHERS)]
    tokens = np.mean([part.paper(REFERENCE)[0].mean() for part in held])
    error = error_of(held, lambda part: part.paper(REFERENCE))
    return {"tokens_saved_bound": 1 - _tokens_at(frontier, error) / float(tokens)}


def _held(teacher: str, seed: int) -> Held:
    rows = [one for one in known() if one.teacher == teacher]
    return Held(Fit(teacher, rows), rows, seed)


class _States:
    """A group's states: after d samples of which s passed, the error of stopping, and what one more sample brings."""

    def __init__(self, rows: Sequence[Known]) -> None:
        rate = np.array([one.passed / SAMPLES for one in rows])
        right, wrong = np.array([lengths_of(one) for one in rows]).T
        d = np.arange(MOST + 1)[:, None, None]
        s = np.minimum(np.arange(MOST + 1)[None, :, None], d)
        weight = rate**s * (1 - rate) ** (d - s) + 1e-300  # of a state that cannot be, any
        share = weight / weight.sum(axis=2, keepdims=True)
        classes = np.stack([(share * (class_of(rate) == k)).sum(axis=2) for k in range(3)])
        self.size = len(rows)
        self.loss: F64 = 1 - classes.max(axis=0)
        self.mean: F64 = (share * rate).sum(axis=2)
        self.cost: F64 = (share * (rate * right + (1 - rate) * wrong)).sum(axis=2)

    def measured(self, price: float) -> tuple[float, float]:
        """The error and the tokens of a problem where a token costs so much."""
        error = self.loss[MOST].copy()
        value = error.copy()
        tokens = np.zeros_like(error)
        for d in range(MOST - 1, -1, -1):
            going = price * self.cost[d] + self._after(value, d)
            stops = (self.loss[d] <= going) & (d >= LEAST)
            value = np.where(stops, self.loss[d], going)
            error = np.where(stops, self.loss[d], self._after(error, d))
            tokens = np.where(stops, 0, self.cost[d] + self._after(tokens, d))
        return float(error[0]), float(tokens[0])

    def _after(self, known_then: F64, d: int) -> F64:
        passed = np.append(known_then[1:], known_then[-1])
        found: F64 = self.mean[d] * passed + (1 - self.mean[d]) * known_then
        return found


def _measured(states: Sequence[_States], price: float) -> tuple[float, float]:
    found = np.array([one.measured(price) for one in states])
    error, tokens = np.average(found, axis=0, weights=[one.size for one in states])
    return float(error), float(tokens)


def _tokens_at(frontier: Sequence[tuple[float, float]], error: float) -> float:
    """The tokens at that error, between two rules of the frontier by chance."""
    for (low, many), (high, few) in pairwise(frontier):
        if low <= error <= high and high > low:
            return many + (few - many) * (error - low) / (high - low)
    raise SystemExit(f"no price has the error {error}")
