"""The table of routes of a store: what its pilots measured, whom to ask what, and what that takes and solves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracemill.distill.order import forecast_of
from tracemill.engine.store import Store
from tracemill.grade.intervals import pass_rate_interval
from tracemill.recipe import Recipe
from tracemill.report.routes.plans import LEVEL, Sample
from tracemill.report.routes.proposing import Route, propose
from tracemill.report.routes.steps import written
from tracemill.report.routes.totals import Course, course
from tracemill.report.routes.tried import Tried, tried

TOLERANCE = 0.05  # of the problems: what a cheaper plan may leave unsolved that the strongest teacher solves


@dataclass(frozen=True)
class Measured:
    """What one teacher made of the problems of a group: `solved` of those that were `told`, with the 90 % interval.

    `tokens` and `money` are of a problem that is asked, `tokens_solved` and `money_solved` of one that is solved, what
    the others took among them; None where nobody knows.
    """

    teacher: str
    tried: int
    told: int
    solved: int
    share: float | None
    low: float | None
    high: float | None
    tokens: float | None
    tokens_solved: float | None
    money: float | None
    money_solved: float | None


@dataclass(frozen=True)
class Routes:
    """`routes` with what was `measured` of each. `courses`: the proposal, then each teacher alone, over the problems
    of which something is decided; `strongest` solves most of those. `currency`: "" where plans are chosen by tokens.

    `replaced` are the steps in whose place `steps`, which is YAML, go.
    """

    routes: tuple[Route, ...]
    measured: tuple[tuple[Measured, ...], ...]
    courses: tuple[Course, ...]
    strongest: str | None
    currency: str
    tolerance: float
    notes: tuple[str, ...]
    replaced: tuple[str, ...]
    steps: str


def routes(recipe: Recipe, store: Store, tolerance: float = TOLERANCE) -> Routes:
    """Propose from the pilots of a store. Raises as `tried`."""
    found = tried(recipe, store)
    proposed = propose(found, tolerance)
    decided = [one for one in proposed if one.is_decided]
    courses = [course("proposal", decided, {one.kind: one.teachers for one in decided})]
    courses += [course(name, decided, {one.kind: (name,) for one in decided}) for name in found.pilots]
    replaced = tuple(_replaced(recipe, found))
    stay = frozenset(recipe.pipeline()) - set(replaced)
    steps, beside = written(found, proposed, stay)
    return Routes(
        tuple(proposed),
        tuple(tuple(_measured(one.sample, found.currency)) for one in proposed),
        tuple(courses),
        _strongest(courses[1:]),
        found.currency,
        tolerance,
        (*found.notes, *beside),
        replaced,
        steps,
    )


def _replaced(recipe: Recipe, found: Tried) -> Iterator[str]:
    """The pilots, and the distil steps that they forecast, in the recipe's order."""
    names = list(recipe.steps)
    pilots = dict(found.pilots.values())
    asked = [forecast_of(pilot, [recipe.steps[n] for n in names[names.index(own) :]]) for own, pilot in pilots.items()]
    yield from (name for name in names if name in pilots or any(recipe.steps[name] is one for one in asked))


def _strongest(alone: Sequence[Course]) -> str | None:
    """The teacher that solves most of all alone."""
    known = [one for one in alone if one.solved is not None]
    return max(known, key=lambda one: one.solved.expected if one.solved else 0.0).name if known else None


def _measured(sample: Sample, currency: str) -> Iterator[Measured]:
    for place, name in enumerate(sample.teachers):
        told = int(sample.known[:, place].sum())
        solved = int(sample.solved[:, place].sum())
        low, high = (float(end) for end in pass_rate_interval(solved, told, LEVEL))
        tokens = float(sample.tokens[:, place].sum())
        money = float(sample.cost[:, place].sum()) if currency else None
        yield Measured(
            name,
            sample.tried,
            told,
            solved,
            solved / told if told else None,
            None if np.isnan(low) else low,
            None if np.isnan(high) else high,
            _per(tokens, sample.tried),
            _per(tokens, solved),
            _per(money, sample.tried),
            _per(money, solved),
        )


def _per(total: float | None, count: int) -> float | None:
    return None if total is None or not count else total / count
