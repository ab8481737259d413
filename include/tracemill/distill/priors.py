"""What a teacher's pass rates are like before a problem was tried: a Beta prior by category and difficulty.

Fitted to the counts of a pilot by maximum likelihood of the beta-binomial. A group of few problems says little: it has
the prior of its category, and a category of few that of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln

_LEAN = 5  # samples of the length of all problems' that a group's own are joined by
ENOUGH = 20  # problems of a group that has a prior of its own: with fewer, the fit follows single problems
_BOUND = float(np.log(50.0))  # of either parameter, up and down: counts of a pilot cannot tell what lies beyond
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


def fitted(tried: Sequence[Tried]) -> Iterator[dict[str, Any]]:
    """One row of `priors` for all problems and for each group of ENOUGH; `ruled` counts those that take it."""
    members: defaultdict[Group, list[Tried]] = defaultdict(list)
    for one in tried:
        for group in _groups(one.category, one.difficulty):
            members[group].append(one)
    kept = {group: rows for group, rows in members.items() if len(rows) >= ENOUGH or group == (None, None)}
    ruled = Counter(group_of(one.category, one.difficulty, kept) for one in tried)
    for group in sorted(kept, key=lambda group: [part or "" for part in group]):
        decided = np.array([one.decided for one in kept[group]], float)
        passed = np.array([one.passed for one in kept[group]], float)
        alpha, beta = beta_of(passed, decided)
        counted = {"problems": len(decided), "ruled": ruled[group], "decided": int(decided.sum())}
        fit = {"passed": int(passed.sum()), "alpha": alpha, "beta": beta}
        yield {"category": group[0], "difficulty": group[1], **counted, **fit, **_lengths(kept[group], tried)}


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


def beta_of(passed: NDArray[np.float64], decided: NDArray[np.float64]) -> tuple[float, float]:
    """The parameters, to four digits, of the Beta distribution under which these counts are likeliest."""

    def unlikely(logs: NDArray[np.float64]) -> float:
        a, b = np.exp(logs)
        return -float(np.sum(betaln(a + passed, b + decided - passed) - betaln(a, b)))

    found = minimize(unlikely, np.zeros(2), method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 2)
    alpha, beta = np.exp(found.x)
    return float(f"{alpha:.4g}"), float(f"{beta:.4g}")
