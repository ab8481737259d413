"""A prior of several Beta distributions, for pass rates that pile up at both ends.

Most problems are solved always or never, and one Beta distribution follows either that or what lies between. Here the
distributions are fixed and their weights alone are fitted, by expectation-maximisation: it has one maximum, which it
finds from any start. A group of few problems leans towards the one that it is part of, so that every group has a prior.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

F64 = NDArray[np.float64]
Part = tuple[float, float, float]  # a weight, and the alpha and beta of a Beta distribution
Prior = tuple[Part, ...]

_STEPS = 12  # a polynomial of that degree (Bernstein's): no finer than a pilot of eight samples can tell
_ENDS = 60.0  # of the two that say always and never: their means are 0.992 and 0.008
_SHAPES: F64 = np.array([(0.5, _ENDS), *((k + 1.0, _STEPS - k + 1.0) for k in range(_STEPS + 1)), (_ENDS, 0.5)])
EVEN: F64 = np.full(len(_SHAPES), 1 / len(_SHAPES))  # the weights before anything is known
_LEAN = 15.0  # problems for which the wider group counts in a narrower one
_FIRST = 3.0  # the same for EVEN in the widest
_ROUNDS = 200  # weights then move by less than their fourth digit


def weights_of(passed: F64, decided: F64, wider: F64 | None = None) -> F64:
    """The likeliest weights of the parts given these counts of a pilot, leaning towards those of the `wider` group."""
    lean = _FIRST if wider is None else _LEAN
    start = EVEN if wider is None else wider
    alpha, beta = _SHAPES.T
    seen = np.exp(betaln(alpha + passed[:, None], beta + (decided - passed)[:, None]) - betaln(alpha, beta))
    weights = start.copy()
    for _ in range(_ROUNDS):
        shares = seen * weights
        shares /= shares.sum(axis=1, keepdims=True)
        weights = (shares.sum(axis=0) + lean * start) / (len(passed) + lean)
    return weights


def parts_of(weights: F64) -> Prior:
    """The prior of these weights, to six digits; parts that weigh nothing are left out."""
    rounded = ((round(float(weight), 6), *map(float, shape)) for weight, shape in zip(weights, _SHAPES, strict=True))
    return tuple((weight, alpha, beta) for weight, alpha, beta in rounded if weight > 0)


def single(alpha: float, beta: float) -> Prior:
    """One Beta distribution alone."""
    return ((1.0, alpha, beta),)


def shares_of(prior: Prior, passed: F64, decided: F64) -> F64:
    """How much each part weighs (last axis) once `passed` of `decided` samples passed; the two have one shape."""
    weight, alpha, beta = np.array(prior, float).T
    failed = decided - passed
    logs = np.log(weight) + betaln(alpha + passed[..., None], beta + failed[..., None]) - betaln(alpha, beta)
    likely = np.exp(logs - logs.max(axis=-1, keepdims=True))
    shares: F64 = likely / likely.sum(axis=-1, keepdims=True)
    return shares
