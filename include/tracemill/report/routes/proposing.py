"""Proposes a plan for each category and difficulty, by its own problems or where these are few by its like's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tracemill.report.routes.pilots import GROUP, Kind
from tracemill.report.routes.plans import (
    ENOUGH,
    Plan,
    Sample,
    choose,
    is_told_strongest,
    speaks_against,
    strongest,
    told_worse,
)
from tracemill.report.routes.tried import Tried

# By which problems: the group's own, those of all groups of its category of which few were tried, and so on.
Level = Literal["group", "few", "category", "all"]
# Why a group has the plan it has, or none. `cheaper`: than the strongest teacher alone, and that is told; `strongest`:
# that one alone costs least; `overlap`: it is kept, as what may be cheaper cannot be told to be; `unsolved`: nobody
# solves any; `untold`: no verifier can say; `untried`: nobody was asked; `few`: too few could be told, even of all.
Verdict = Literal["cheaper", "strongest", "overlap", "unsolved", "untold", "untried", "few"]


@dataclass(frozen=True)
class Route:
    """The plan of one category and difficulty: `teachers` in their order, () for none, decided by `level`.

    `told`: the problems of that level of which it is known whether anybody solved them. `sample`: the group's own
    problems that all teachers were tried on, `basis` those that its problems are taken to be like.
    """

    kind: Kind
    problems: int
    teachers: Plan
    verdict: Verdict
    level: Level
    told: int
    sample: Sample
    basis: tuple[Level, Sample]

    @property
    def is_decided(self) -> bool:
        """Whether it is known what is best: to ask somebody, or that nobody solves any."""
        return self.verdict in ("cheaper", "strongest", "overlap", "unsolved")

    @property
    def ahead(self) -> int:
        """How many of its problems were not tried."""
        return max(0, self.problems - self.sample.tried)


def propose(tried: Tried, tolerance: float) -> list[Route]:
    """One route for each category and difficulty of which there are problems."""
    return [_route(tried, kind, size, names, tolerance) for kind, (size, names) in tried.sizes.items()]


def _route(tried: Tried, kind: Kind, size: int, names: Plan, tolerance: float) -> Route:
    category = pl.col(GROUP[0]).eq_missing(kind[0])
    masks: dict[Level, pl.Expr] = {
        "group": category & pl.col(GROUP[1]).eq_missing(kind[1]),
        "few": category & (pl.len().over(GROUP) < ENOUGH),
        "category": category,
        "all": pl.lit(True),
    }
    levels = {level: _sample(tried, names, mask) for level, mask in masks.items()}
    own, _, within, _ = levels.values()
    if own.tried >= ENOUGH:
        del levels["few"]
    basis = next(((level, one) for level, one in levels.items() if one.tried >= ENOUGH), ("all", levels["all"]))

    def made(teachers: Plan, verdict: Verdict, level: Level) -> Route:
        return Route(kind, size, teachers, verdict, level, levels[level].told, own, basis)

    if not within.tried:
        return made((), "untried", "category")
    if not within.told or (own.tried >= ENOUGH and not own.told):
        return made((), "untold", "group" if own.tried >= ENOUGH else "category")
    readable = [(level, one) for level, one in levels.items() if one.told >= ENOUGH]
    return _decided(readable, tolerance, made) if readable else made((), "few", "all")


def _decided(
    readable: Sequence[tuple[Level, Sample]], tolerance: float, made: Callable[[Plan, Verdict, Level], Route]
) -> Route:
    """By the narrowest level that can tell, if none that is narrower speaks against it; else the strongest alone."""
    narrowest, first = readable[0]
    if not first.solved.any():
        return made((), "unsolved", narrowest)
    known, name = _strongest(readable, tolerance)
    for place, (_, sample) in enumerate(readable):
        choice = choose(sample, name, tolerance)
        if choice.is_told and not any(speaks_against(one, choice.teachers, name) for _, one in readable[:place]):
            verdict: Verdict = "strongest" if choice.teachers == (name,) else "cheaper"
            return made(choice.teachers, verdict, readable[max(place, known)][0])
    return made((name,), "overlap", readable[known][0])


def _strongest(readable: Sequence[tuple[Level, Sample]], tolerance: float) -> tuple[int, str]:
    """The teacher that solves most, and the place of the narrowest level that can tell it, or else of the widest.

    One that a narrower level tells to solve fewer there than another is not taken.
    """
    for place, (_, sample) in enumerate(readable):
        name = strongest(sample)
        is_known = is_told_strongest(sample, name, tolerance) or place + 1 == len(readable)
        if is_known and not any(told_worse(one, (name,), (strongest(one),)) for _, one in readable[:place]):
            return place, name
    return 0, strongest(readable[0][1])


def _sample(tried: Tried, names: Plan, mask: pl.Expr) -> Sample:
    """The problems of a level that all these teachers were tried on."""
    columns = {what: [f"{what}:{name}" for name in names] for what in ("tokens", "money", "told", "passed")}
    rows = tried.rows.drop_nulls(columns["tokens"]).filter(mask)
    tokens = rows.select(columns["tokens"]).to_numpy().astype(float)
    money = rows.select(columns["money"]).to_numpy().astype(float)
    known, solved = (rows.select(columns[what]).to_numpy().astype(bool) for what in ("told", "passed"))
    return Sample(names, tokens, money if tried.currency else np.array(tokens), known, solved)
