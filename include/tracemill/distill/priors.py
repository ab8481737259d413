"""What a teacher's pass rates are like before a problem was tried: a prior by category and difficulty.

Fitted to the counts of a pilot by maximum likelihood, as one Beta distribution (of the beta-binomial) or as a mixture
of several (`distill.mixtures`). For one Beta a group of few problems says little: it has the prior of its category, and
a category of few that of all. In a mixture every group leans towards the wider one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln

from tracemill.distill.mixtures import Prior, parts_of, single, weights_of

_LEAN = 5  # samples of the length of all problems' that a group's own are joined by
ENOUGH = 20  # problems of a group that has a prior of its own: with fewer, the fit follows single problems
_BOUND = float(np.log(50.0))  # of either parameter, up and down: counts of a pilot cannot tell what lies beyond
_PART = ("weight", "alpha", "beta")
F64 = NDArray[np.float64]
Fit = Literal["beta", "mixture"]
Group = tuple[str | None, str | None]  # a category and a difficulty; null: any


class Tried(NamedTuple):
    """What a pilot counted of one problem: samples whose worth could be told, and how many of them passed.

    `right` and `wrong` are the tokens of those that passed and of the others, all together; null where nobody counted.
    """

    category: str | None
    difficulty: str | None
    decided: int
    passed: int
    right: int | None = None
    wrong: int | None = None


class Known(NamedTuple):
    """Of a group its prior, the problems that it rules, and the mean tokens of samples that pass and of others."""

    prior: Prior
    ruled: int
    lengths: tuple[float, float] = (1.0, 1.0)


def known_from(row: Mapping[str, Any]) -> Known:
    """What a row of `priors` says. Where no sample of one kind was seen, they are as long as those of the other."""
    parts = tuple((part["weight"], part["alpha"], part["beta"]) for part in row["parts"] or ())
    passed = row["tokens_passed"]
    failed = row["tokens_failed"]
    lengths = (passed or failed or 1.0, failed or passed or 1.0)
    return Known(parts or single(row["alpha"], row["beta"]), row["ruled"], lengths)


def fitted(tried: Sequence[Tried], fit: Fit = "beta") -> Iterator[dict[str, Any]]:
    """One row of `priors` for all problems and for each group that has one; `ruled` counts those that take it.

    With `beta` a group has one of ENOUGH problems on.
    """
    members: defaultdict[Group, list[Tried]] = defaultdict(list)
    for one in tried:
        for group in _groups(one.category, one.difficulty):
            members[group].append(one)
    least = ENOUGH if fit == "beta" else 1
    kept = {group: rows for group, rows in members.items() if len(rows) >= least or group == (None, None)}
    ruled = Counter(group_of(one.category, one.difficulty, kept) for one in tried)
    weights: dict[Group, F64] = {}
    for group in sorted(kept, key=lambda group: [part or "" for part in group]):  # wider ones before narrower ones
        passed = np.array([one.passed for one in kept[group]], float)
        decided = np.array([one.decided for one in kept[group]], float)
        counted = {"problems": len(decided), "ruled": ruled[group], "decided": int(decided.sum())}
        if fit == "beta":
            found: dict[str, Any] = dict(zip(("alpha", "beta"), beta_of(passed, decided), strict=True))
        else:
            wider = next((one for one in _groups(*group) if one in weights), None)
            weights[group] = weights_of(passed, decided, None if wider is None else weights[wider])
            found = {"parts": [dict(zip(_PART, part, strict=True)) for part in parts_of(weights[group])]}
        about = {"category": group[0], "difficulty": group[1], **counted, "passed": int(passed.sum())}
        yield {**about, **found, **_lengths(kept[group], tried)}


def _lengths(own: Sequence[Tried], every: Sequence[Tried]) -> dict[str, float | None]:
    """The mean tokens of samples that passed and of others, in a group; with few of them near those of all problems."""
    passed = [[(one.right, one.passed) for one in rows] for rows in (own, every)]
    failed = [[(one.wrong, one.decided - one.passed) for one in rows] for rows in (own, every)]
    return {
        "tokens_passed": _mean(passed[0], _mean(passed[1])),
        "tokens_failed": _mean(failed[0], _mean(failed[1])),
    }


def _mean(told: Sequence[tuple[int | None, int]], around: float | None = None) -> float | None:
    """Tokens a sample, from tokens and samples of each problem, as if _LEAN more had been as long as `around`."""
    counted = [(tokens, samples) for tokens, samples in told if tokens is not None]
    lean = 0 if around is None else _LEAN
    samples = sum(samples for _, samples in counted) + lean
    tokens = sum(tokens for tokens, _ in counted) + lean * (around or 0.0)
    return round(tokens / samples, 1) if samples else None


def group_of(category: str | None, difficulty: str | None, there: Container[Group]) -> Group:
    """The narrowest group with a prior that a problem belongs to."""
    return next(group for group in _groups(category, difficulty) if group in there)


def _groups(category: str | None, difficulty: str | None) -> list[Group]:
    """From the narrowest to that of all problems, which every problem is in."""
    narrow: list[Group] = [(category, difficulty), (category, None)]
    return [*dict.fromkeys(narrow if category else []), (None, None)]


def beta_of(passed: F64, decided: F64) -> tuple[float, float]:
    """The parameters, to four digits, of the Beta distribution under which these counts are likeliest."""

    def unlikely(logs: F64) -> float:
        a, b = np.exp(logs)
        return -float(np.sum(betaln(a + passed, b + decided - passed) - betaln(a, b)))

    found = minimize(unlikely, np.zeros(2), method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 2)
    alpha, beta = np.exp(found.x)
    return float(f"{alpha:.4g}"), float(f"{beta:.4g}")
