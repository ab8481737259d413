"""Says a table of routes in words: the rows of its tables, and what was taken for granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from tracemill.distill.forecasts import Total
from tracemill.grade.intervals import pass_rate_interval
from tracemill.models.prices import amount
from tracemill.report.routes.plans import ENOUGH
from tracemill.report.routes.proposal import Measured, Routes
from tracemill.report.routes.proposing import Route

MEASURED = ("category", "difficulty", "teacher", "tried", "told", "solved", "share, 90 % between")
PROPOSED = ("category", "difficulty", "problems", "ask", "goes by", "why")
TOTALS = ("", "tokens, 90 % between", "solved, 90 % between")
_NONE = "none"


def measured_head(found: Routes) -> tuple[str, ...]:
    """The head of the table of what was measured."""
    money = (f"{found.currency} a problem", f"{found.currency} a solved one") if found.currency else ()
    return (*MEASURED, "tokens a problem", "tokens a solved one", *money)


def measured_rows(found: Routes) -> Iterator[tuple[str, ...]]:
    """One row for each group and teacher."""
    for route, own in zip(found.routes, found.measured, strict=True):
        for one in own:
            money = (_amount(one.money), _amount(one.money_solved)) if found.currency else ()
            counts = (f"{one.tried:,}", f"{one.told:,}", f"{one.solved:,}")
            tokens = (_whole(one.tokens), _whole(one.tokens_solved))
            yield (*_kind(route), one.teacher, *counts, _share(one), *tokens, *money)


def proposed_rows(found: Routes) -> Iterator[tuple[str, ...]]:
    """One row for each group: whom to ask, by which problems, and why."""
    for one in found.routes:
        yield (*_kind(one), f"{one.problems:,}", " → ".join(one.teachers) or "nobody", _basis(one), _why(one))


def total_head(found: Routes) -> tuple[str, ...]:
    """The head of the table of totals."""
    return (*TOTALS[:2], *((f"{found.currency}, 90 % between",) if found.currency else ()), TOTALS[2])


def total_rows(found: Routes) -> Iterator[tuple[str, ...]]:
    """The proposal, and each teacher alone, the strongest of them first."""
    proposal, *alone = found.courses
    alone.sort(key=lambda one: (one.name != found.strongest, one.name))
    for one in (proposal, *alone):
        name = "the proposal" if one is proposal else f"{one.name} alone"
        money = (_between(one.cost, _amount),) if found.currency else ()
        yield name, _between(one.tokens, _whole), *money, _between(one.solved, _whole)


def cautions(found: Routes) -> Iterator[str]:
    """What was assumed, and what the table leaves open."""
    away = sum(one.problems for one in found.routes if not one.is_decided)
    if away:
        yield f"Of {away:,} problems nothing is proposed: no step below asks them, and they are in no total."
    unsolved = sum(one.problems for one in found.routes if one.verdict == "unsolved")
    if unsolved:
        yield f"{unsolved:,} problems are like those that nobody solved: no step below asks them."
    if not found.currency:
        yield (
            "Plans are chosen by tokens, read and written, as if those of all teachers cost the same: give every model "
            "its `price` in one currency, and they are chosen by money."
        )
    yield (
        "Assumed: a problem is solved where the policy's own verifiers pass one of its samples; a plan may solve "
        f"{found.tolerance:.1%} fewer of the problems than the strongest teacher; problems that were not tried are "
        f"like the tried ones of their group, and where these are fewer than {ENOUGH}, of all such groups of their "
        "category, of the category, or of all."
    )
    yield from found.notes


def pasted(found: Routes) -> str:
    """The steps with what to do with them, as comments of YAML."""
    if not found.steps:
        return "# Nobody is to be asked: there are no steps.\n"
    where = f"# In the place of these steps of the recipe: {', '.join(found.replaced)}.\n"
    return f"{where}# The store has what they were answered: none is paid again.\n{found.steps}"


def as_data(found: Routes) -> dict[str, Any]:
    """The same for programs."""
    return {
        "currency": found.currency or None,
        "tolerance": found.tolerance,
        "strongest": found.strongest,
        "routes": [
            {
                "category": one.kind[0],
                "difficulty": one.kind[1],
                "problems": one.problems,
                "teachers": one.teachers,
                "verdict": one.verdict,
                "goes_by": one.level,
                "measured": [asdict(each) for each in own],
            }
            for one, own in zip(found.routes, found.measured, strict=True)
        ],
        "totals": [
            {
                "name": one.name,
                "tokens": _plain(one.tokens),
                "money": _plain(one.cost) if found.currency else None,
                "solved": _plain(one.solved),
            }
            for one in found.courses
        ],
        "cautions": list(cautions(found)),
        "replaced": found.replaced,
        "steps": found.steps,
    }


def _plain(total: Total | None) -> dict[str, float] | None:
    return None if total is None else asdict(total)


def _kind(route: Route) -> tuple[str, str]:
    category, difficulty = route.kind
    return category or _NONE, difficulty or _NONE


def _basis(route: Route) -> str:
    if route.level == "group":
        return "its own problems"
    category = _kind(route)[0]
    words = {"few": f"small groups of {category}", "category": f"category {category}", "all": "all problems"}
    return words[route.level]


def _why(route: Route) -> str:
    return {
        "cheaper": "costs less for a solved problem than the strongest alone",
        "strongest": "solves most, and costs least for a solved problem",
        "overlap": "solves most; that another costs less cannot be told, as the intervals overlap",
        "unsolved": f"nobody solved any of {route.told:,}, so at most {_at_most(route.told):.0%} can be",
        "untold": f"nobody can say: no verifier could judge any of {route.sample.tried:,} that were tried",
        "untried": "nobody tried any of this category: raise the pilots' `problems`, or their `refit`",
        "few": "too few could be told of all that were tried: raise the pilots' `problems`",
    }[route.verdict] + _aside(route)


def _aside(route: Route) -> str:
    """Why a group goes by more than its own problems."""
    if route.level == "group" or not route.is_decided:
        return ""
    if route.sample.told < ENOUGH:
        return f" (of its own, {route.sample.told:,} could be told)"
    return " (by its own alone it cannot be told: the intervals overlap)"


def _at_most(told: int) -> float:
    return float(pass_rate_interval(0, told)[1])


def _share(one: Measured) -> str:
    if one.share is None:
        return "unknown"
    return f"{one.share:.0%}, {one.low:.0%} and {one.high:.0%}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _amount(value: float | None) -> str:
    return "" if value is None else amount(value)


def _between(total: Total | None, told: Callable[[float], str]) -> str:
    return "unknown" if total is None else f"{told(total.expected)}, {told(total.low)} and {told(total.high)}"
