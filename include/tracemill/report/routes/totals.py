"""What a table of routes will take and solve of all problems, with a 90 % interval.

What was tried is known. The problems that were not are taken to be like the tried ones of their group, or where these
are fewer than ten, like those of all such groups of their category; the error is that of a stratified sample without
replacement, as of a forecast (`distill.forecasts`), with Jeffreys' half problem at both ends, so that what was never
seen to fail may fail yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv
from scipy.stats import t as student

from tracemill.distill.forecasts import Total
from tracemill.report.routes.pilots import Kind
from tracemill.report.routes.plans import F64, LEVEL, Plan, Sample
from tracemill.report.routes.proposing import Route

_TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Course:
    """What comes of asking these problems in one way: `cost` is money, where that is known.

    None where somebody of the plan was not tried on some of them.
    """

    name: str
    tokens: Total | None
    cost: Total | None
    solved: Total | None


def course(name: str, routes: Sequence[Route], plans: Mapping[Kind, Plan]) -> Course:
    """The totals of the routes, each by its plan of `plans`."""
    if any(set(plans[one.kind]) - set(one.sample.teachers) for one in routes):
        return Course(name, None, None, None)
    cells = list(_cells(routes, plans))
    tokens, cost = (_amount(cells, what) for what in ("tokens", "cost"))
    return Course(name, tokens, cost, _count(cells))


@dataclass(frozen=True)
class _Cell:
    """Problems of one plan: those of `known` were tried, `ahead` are like those of `like`."""

    plan: Plan
    known: Sample
    ahead: int
    like: Sample

    def moments(self, what: str) -> tuple[float, float]:
        """The mean and the variance of a problem, Jeffreys' ones among them."""
        wider, weights = self.like.weighed()
        values = _values(wider, self.plan, what)
        mean = float(weights @ values / weights.sum())
        return mean, float(weights @ (values - mean) ** 2 / max(1.0, weights.sum() - 1))


def _values(sample: Sample, plan: Plan, what: str) -> F64:
    if what == "solved":
        return sample.solves(plan).astype(float)
    return sample.spent(plan, sample.tokens if what == "tokens" else sample.cost)


def _cells(routes: Sequence[Route], plans: Mapping[Kind, Plan]) -> Iterator[_Cell]:
    """One for each route that asks anybody; those that go by the same problems stand together."""
    together: dict[tuple[object, ...], _Cell] = {}
    for one in routes:
        plan = plans[one.kind]
        if not plan:
            continue
        level, like = one.basis
        if level == "group":
            yield _Cell(plan, one.sample, one.ahead, like)
            continue
        yield _Cell(plan, one.sample, 0, like)
        key = (plan, level, None if level == "all" else one.kind[0], like.teachers)
        before = together[key].ahead if key in together else 0
        together[key] = _Cell(plan, _nothing(like), before + one.ahead, like)
    yield from together.values()


def _nothing(like: Sample) -> Sample:
    return Sample(like.teachers, like.tokens[:0], like.cost[:0], like.known[:0], like.solved[:0])


def _error(cells: Sequence[_Cell], what: str) -> tuple[float, float, float]:
    """Of what lies ahead: its mean, its variance, and Satterthwaite's degrees of freedom."""
    middle, error, spread = 0.0, 0.0, 0.0
    for one in cells:
        mean, variance = one.moments(what)
        own = one.ahead * (one.ahead / (one.like.tried + 1) + 1) * variance
        middle += one.ahead * mean
        error += own
        spread += own**2 / max(1, one.like.tried - 1)
    return middle, error, error**2 / spread if spread else 1.0


def _amount(cells: Sequence[_Cell], what: str) -> Total:
    """Student's interval on the logarithm of what is not known yet: it is never negative, and errs further up."""
    known = sum(float(_values(one.known, one.plan, what).sum()) for one in cells)
    expected = known + sum(one.ahead * float(_values(one.like, one.plan, what).mean()) for one in cells if one.ahead)
    middle, error, freedom = _error(cells, what)
    if not middle or not error:
        return Total(expected, expected, expected)
    reach = float(np.exp(student.ppf(1 - _TAIL, freedom) * np.sqrt(error) / middle))
    return Total(expected, min(expected, known + middle / reach), max(expected, known + middle * reach))


def _count(cells: Sequence[_Cell]) -> Total:
    """How many problems are solved: the share of those ahead has the Beta distribution of its mean and variance."""
    known = sum(float(_values(one.known, one.plan, "solved").sum()) for one in cells)
    expected = known + sum(
        one.ahead * float(_values(one.like, one.plan, "solved").mean()) for one in cells if one.ahead
    )
    ahead = sum(one.ahead for one in cells)
    if not ahead:
        return Total(expected, expected, expected)
    middle, error, _ = _error(cells, "solved")
    share, variance = middle / ahead, error / ahead**2
    weight = max(1.0, share * (1 - share) / variance - 1)
    low, high = (float(betaincinv(share * weight, (1 - share) * weight, tail)) for tail in (_TAIL, 1 - _TAIL))
    return Total(expected, min(expected, known + ahead * low), max(expected, known + ahead * high))
