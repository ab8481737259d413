"""Sampling until it is known whether a problem is hopeless, usable or easy for the teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.distill.decisions import Decisions, SequentialTest, best_error, decisions
from tracemill.distill.mixtures import single
from tracemill.distill.policy import Judged, Outcome, Rule, Ruling
from tracemill.distill.priors import Group, Known, group_of, known_from
from tracemill.errors import RecipeError

_once = lru_cache(maxsize=16)(decisions)  # every shard asks for its fingerprint and for its rules; of 100 groups 0.9 s
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Shape = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class Prior(BaseModel):
    """A Beta prior that the recipe gives in place of a pilot; Jeffreys' has 0.5 and 0.5."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    alpha: Shape  # as if so many samples had passed before
    beta: Shape  # as if so many had failed


class UntilDecided(Judged):
    """Sample until the class of a problem is known: hopeless (p < `low`), usable, or easy (p > `high`).

    At most `max` samples are drawn, and at least `least` decided ones, as a pass rate of fewer is no grade. `error` is
    the share of problems whose class may come out wrong, as the prior expects it. The prior of p is what the `pilot`
    step found of this teacher, by category and difficulty, or the one given here. `saves: tokens` weighs samples by
    their lengths, as the pilot saw them of samples that pass and of others. `distill.decisions` has the rule.
    """

    kind: Literal["until_decided"] = "until_decided"
    max: Annotated[int, Field(ge=2, le=64)]
    error: Annotated[float, Field(gt=0, lt=0.5, allow_inf_nan=False)]
    low: Share = 0.2
    high: Share = 0.9
    least: Annotated[int, Field(ge=2)] = 2
    prior: Prior | None = None
    saves: Annotated[Literal["samples", "tokens"], Field(exclude_if=lambda saved: saved == "samples")] = "samples"

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low}, high {self.high}: no pass rate would be usable; set low below high")
        if self.least > self.max:
            raise ValueError(f"least is {self.least} and max {self.max}: lower least, or raise max")
        if self.saves == "tokens" and self.prior is not None:
            raise ValueError("saves is tokens, and only a pilot knows how many there are: leave out prior, or saves")
        return self

    @property
    def needs_pilot(self) -> bool:
        """Whether the recipe leaves the prior to a pilot."""
        return self.prior is None

    def ruling(self, priors: pa.Table, teacher: str, modes: Sequence[str | None]) -> Ruling:
        """The rule of each problem. Raises RecipeError without a prior, or when `error` is out of reach."""
        return Decided({mode: self._tables(_known(self, priors, teacher, mode)) for mode in modes})

    def _tables(self, known: Mapping[Group, Known]) -> tuple[list[Group], Decisions]:
        test = SequentialTest(self.low, self.high, self.least, self.max, self.error)
        priors = tuple(one.prior for one in known.values())
        weights = tuple(one.ruled for one in known.values())
        lengths = tuple(one.lengths for one in known.values()) if self.saves == "tokens" else None
        found = _once(priors, weights, test, lengths)
        if found is None:
            raise RecipeError(
                f"policy until_decided: with max {self.max} the class of a problem can be known within an error of "
                f"{best_error(priors, weights, test):.3f} at best, and {self.error} is asked for: raise max or error"
            )
        return list(known), found


def _known(policy: UntilDecided, priors: pa.Table, teacher: str, mode: str | None) -> dict[Group, Known]:
    """What is known of each group that has a prior."""
    if policy.prior is not None:
        return {(None, None): Known(single(policy.prior.alpha, policy.prior.beta), 1)}
    own = [row for row in priors.to_pylist() if (row["teacher"], row["mode"]) == (teacher, mode)]
    if not own:
        raise RecipeError(
            f"policy until_decided has no prior for teacher {teacher!r}{f' in mode {mode!r}' if mode else ''}: put a "
            "`pilot` step with this teacher before it, or give `prior: {alpha: 0.5, beta: 0.5}`"
        )
    if policy.saves == "tokens" and not all(row["tokens_passed"] or row["tokens_failed"] for row in own):
        raise RecipeError(
            f"policy until_decided saves tokens, and the pilot of teacher {teacher!r} counted none: its server told no "
            "lengths (leave out saves), or it ran before they were kept (raise its refit)"
        )
    return {(row["category"], row["difficulty"]): known_from(row) for row in own}


@dataclass(frozen=True)
class Decided:
    """The decision tables of a policy by mode, and which of them rules a problem."""

    tables: Mapping[str | None, tuple[list[Group], Decisions]]

    def rule(self, category: str | None, difficulty: str | None, mode: str | None) -> Rule:
        """The table of the narrowest group with a prior."""
        groups, found = self.tables[mode]
        place = groups.index(group_of(category, difficulty, groups))
        return _Table(found.stops[place], found.ahead[place])

    def digest(self) -> dict[str, Any]:
        """The tables as they go into the fingerprint."""
        return {
            str(mode): [groups, np.packbits(found.stops).tobytes().hex()]
            for mode, (groups, found) in self.tables.items()
        }

    def expected(self) -> dict[str, Any]:
        """What the prior expects of a problem, for the manifest."""
        return {
            str(mode): {"error": round(found.error, 4), "samples": round(found.samples, 3)}
            for mode, (_, found) in self.tables.items()
        }


@dataclass(frozen=True)
class _Table:
    """The decision table of one group: where it stops, and how many samples go out at once."""

    stops: np.ndarray[Any, Any]
    ahead: np.ndarray[Any, Any]

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether the class is known well enough; what could not be told counts neither way."""
        return bool(self.stops[_state(outcomes)])

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """As many as are needed in any case, so that none is sent too much."""
        return int(self.ahead[_state(outcomes)])


def _state(outcomes: Sequence[Outcome]) -> tuple[int, int]:
    passed = outcomes.count("pass")
    return passed + outcomes.count("fail"), passed
