"""When a problem's class is known well enough: the optimal sequential test, as a table of (passed, decided).

The class of a problem is where its pass rate p lies: hopeless (p < low), usable, or easy (p > high). With a prior of p
of one Beta distribution or several (`distill.mixtures`), the state after d decided samples of which s passed is the
posterior, of Beta(a + s, b + d - s). Stopping there errs with the probability that p lies in another class than the
likeliest; one more sample costs `price`, or, where lengths are known, `price` by the tokens expected of it. Backward
induction over d gives the cheaper of both in every state (a sequential Bayes test). One price for all strata, so high
that the error expected over the pilot's problems is the one asked for, spends samples where they tell most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from tracemill.distill.mixtures import Prior, shares_of

F64 = NDArray[np.float64]
Lengths = tuple[float, float]  # mean tokens of a sample that passes, and of one that fails
_HALVINGS = 40  # of the price's exponent: far below what a table of at most 64 samples can tell apart
_CHEAP = -9.0  # the decimal exponent of a price at which sampling only ends when it can tell no more


@dataclass(frozen=True)
class SequentialTest:
    """What is asked of a decision: the classes' bounds, at least and at most so many decided samples, and the error."""

    low: float
    high: float
    least: int
    most: int
    error: float


@dataclass(frozen=True)
class Decisions:
    """The tables of all strata: `stops[k, d, s]` ends a problem of stratum k after s of d samples passed.

    `ahead[k, d, s]` samples can go out before any could be one too many. `error` and `samples` are what is expected of
    a problem of the pilot.
    """

    stops: NDArray[np.bool_]
    ahead: NDArray[np.int64]
    error: float
    samples: float


def decisions(
    priors: Sequence[Prior],
    weights: Sequence[float],
    test: SequentialTest,
    lengths: Sequence[Lengths] | None = None,
) -> Decisions | None:
    """The tables for these priors, weighted by their share of problems; None: the error is out of reach.

    What is saved are samples, or tokens where `lengths` says what a sample of each stratum takes.
    """
    loss, mean = _states(priors, test)
    share = np.asarray(weights, float) / np.sum(weights)
    cost = _cost(mean, share, lengths)
    low = _CHEAP
    stops, error, samples = _solved(loss, mean, 10.0**low * cost, test.least)
    if share @ error > test.error:
        return None
    high = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = _solved(loss, mean, 10.0**middle * cost, test.least)
        if share @ tried[1] <= test.error:
            low = middle
            stops, error, samples = tried
        else:
            high = middle
    return Decisions(stops, _ahead(stops), float(share @ error), float(share @ samples))


def best_error(priors: Sequence[Prior], weights: Sequence[float], test: SequentialTest) -> float:
    """The least expected error that so many samples can reach."""
    loss, mean = _states(priors, test)
    share = np.asarray(weights, float) / np.sum(weights)
    return float(share @ _solved(loss, mean, 10.0**_CHEAP * _cost(mean, share, None), test.least)[1])


def _states(priors: Sequence[Prior], test: SequentialTest) -> tuple[F64, F64]:
    """The error of stopping, and the chance that the next sample passes, by stratum, decided and passed."""
    each = [chances(prior, test.low, test.high, test.most) for prior in priors]
    return np.stack([1 - classes.max(axis=0) for classes, _ in each]), np.stack([mean for _, mean in each])


def chances(prior: Prior, low: float, high: float, most: int) -> tuple[F64, F64]:
    """The chances of the three classes (first axis), and that the next sample passes, by decided and passed."""
    decided = np.arange(most + 1)[:, None].astype(float)
    passed = np.minimum(np.arange(most + 1)[None, :], decided)  # above the diagonal: states that cannot be
    decided = np.broadcast_to(decided, passed.shape)
    _, alpha, beta = np.array(prior, float).T
    a = alpha + passed[..., None]
    b = beta + (decided - passed)[..., None]
    shares = shares_of(prior, passed, decided)
    hopeless = (shares * betainc(a, b, low)).sum(axis=-1)
    easy = (shares * (1 - betainc(a, b, high))).sum(axis=-1)
    return np.stack([hopeless, 1 - hopeless - easy, easy]), (shares * (a / (a + b))).sum(axis=-1)


def _cost(mean: F64, share: F64, lengths: Sequence[Lengths] | None) -> F64:
    """What the next sample costs in each state: its expected tokens, in those of a first sample on average; else 1."""
    if lengths is None:
        return np.ones_like(mean)
    passes, fails = np.asarray(lengths, float).T[:, :, None, None]
    tokens: F64 = mean * passes + (1 - mean) * fails
    return tokens / float(share @ tokens[:, 0, 0])


def _solved(loss: F64, mean: F64, price: F64, least: int) -> tuple[NDArray[np.bool_], F64, F64]:
    """Where to stop at the price of each state, and the error and samples that are expected, by stratum."""
    most = loss.shape[1] - 1
    stops = np.ones(loss.shape, bool)
    value = loss[:, most].copy()
    error = loss[:, most].copy()
    samples = np.zeros_like(error)
    for d in range(most - 1, -1, -1):
        further = [_expected(mean[:, d], known) for known in (value, error, samples)]
        going = price[:, d] + further[0]
        stop = loss[:, d] <= going if d >= least else np.zeros(going.shape, bool)
        stops[:, d] = stop
        value = np.where(stop, loss[:, d], going)
        error = np.where(stop, loss[:, d], further[1])
        samples = np.where(stop, 0, 1 + further[2])
    return stops, error[:, 0], samples[:, 0]


def _expected(mean: F64, after: F64) -> F64:
    """What is expected of the states after one more sample."""
    passed = np.concatenate([after[:, 1:], after[:, -1:]], axis=1)
    found: F64 = mean * passed + (1 - mean) * after
    return found


def _ahead(stops: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many samples can go out from each state before any of them could turn out to be one too many."""
    ahead = np.zeros(stops.shape, np.int64)
    for d in range(stops.shape[1] - 2, -1, -1):
        after = ahead[:, d + 1]
        passed = np.concatenate([after[:, 1:], after[:, -1:]], axis=1)
        ahead[:, d] = np.where(stops[:, d], 0, 1 + np.minimum(after, passed))
    return ahead
