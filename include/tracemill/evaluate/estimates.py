"""Says how far a score can be trusted: its interval over items and samples, and the smallest difference it could show.

The score is pass@1: the mean over items of passed / decided. A benchmark's items are a few of all that could have been
asked, and a model's samples a few of all that it could have said, so both are drawn anew: a hierarchical bootstrap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtr, ndtri, stdtrit

F64 = npt.NDArray[np.float64]
DRAWS = 10_000
LEVEL = 0.9
POWER = 0.8  # how often a difference that is there should be found
_SEED = 20_250_517
_CELLS = 1 << 18  # items of a block of replicates: its arrays take a few MiB


class Counts(NamedTuple):
    """Of each item how many samples `passed` of those `decided`; two arrays of one length, every item decided."""

    passed: npt.ArrayLike
    decided: npt.ArrayLike


class Estimate(NamedTuple):
    """A `mean` with its interval from `low` to `high` and its standard `error`.

    `visible` is the smallest true difference that such an evaluation finds in POWER of cases: between this model and
    another that is evaluated alike, or, of a difference, between these two. NaN where nothing can be said: one item.
    """

    mean: float
    low: float
    high: float
    error: float
    visible: float


def pass_at_1(counts: Counts, level: float = LEVEL, draws: int = DRAWS) -> Estimate:
    """The score of one model. Its interval holds the score over all such items and samples at `level`.

    Two items are the least that say anything of others: with one the interval is from 0 to 1.
    """
    return _estimate([counts], np.ones(1), (0.0, 1.0), level, draws)


def difference(first: Counts, second: Counts, level: float = LEVEL, draws: int = DRAWS) -> Estimate:
    """The first model's score less the second's, on the same items in the same order.

    Items are drawn for both at once, so that what makes an item hard for both is in no interval.
    """
    return _estimate([first, second], np.array([1.0, -1.0]), (-1.0, 1.0), level, draws)


def _estimate(models: list[Counts], sign: F64, bounds: tuple[float, float], level: float, draws: int) -> Estimate:
    passed = np.stack([np.asarray(one.passed, np.float64) for one in models], axis=1)
    decided = np.stack([np.asarray(one.decided, np.int64) for one in models], axis=1)
    rates = passed / decided
    items = len(rates)
    mean = float((rates @ sign).mean())
    if items < 2:
        return Estimate(mean, *bounds, np.nan, np.nan)
    replicates = _replicates(_without_noise(rates, decided), decided, sign, draws)
    tail = (1 - level) / 2
    spread = float(replicates.std())
    if spread == 0:
        low, high = _unanimous(mean, items, tail)
        error = (high - low) / float(ndtri(1 - tail))
    else:
        # Hesterberg (The American Statistician 69, 2015, expanded percentile interval): of so few items, as wide as
        # Student's t and the sample variance make them.
        wide = float(ndtr(np.sqrt(items / (items - 1)) * stdtrit(items - 1, tail)))
        low, high = np.quantile(replicates, [wide, 1 - wide])
        error = spread * np.sqrt(items / (items - 1))
    pairs = np.sqrt(2) if len(models) == 1 else 1.0
    visible = float(ndtri(1 - tail) + ndtri(POWER)) * pairs * error
    low = min(max(float(low), bounds[0]), mean)
    high = max(min(float(high), bounds[1]), mean)
    return Estimate(mean, low, high, float(error), float(visible))


def _unanimous(mean: float, items: int, tail: float) -> tuple[float, float]:
    """The interval where all items say the same, of which no drawing anew knows more.

    The share of other items that say something else is Jeffreys' for 0 of so many (Brown, Cai and DasGupta 2001).
    """
    reach = float(betaincinv(0.5, items + 0.5, 1 - tail))
    return mean - reach, mean + reach


def _without_noise(rates: F64, decided: npt.NDArray[np.int64]) -> F64:
    """The rates of (items, models), drawn together so far that they vary and covary as the true ones do.

    Seen rates vary by what items differ in and by which samples came, and drawing samples anew adds the second once
    more: the interval would be too wide (Davison and Hinkley 1997, section 3.8). The samples' part of the variance is
    rate (1 - rate) / (samples - 1), its unbiased estimate, where an item has two; the least movement that takes it out
    is the one between two normal distributions.
    """
    mean = rates.mean(axis=0)
    seen = np.atleast_2d(np.cov(rates, rowvar=False))
    several = decided > 1
    noise = np.where(several, rates * (1 - rates) / np.maximum(decided - 1, 1), 0.0).sum(axis=0)
    true = _power(seen - np.diag(noise / np.maximum(several.sum(axis=0), 1)), 1.0)
    root = _power(seen, 0.5)
    back = _power(seen, -0.5)
    bridge = back @ _power(root @ true @ root, 0.5) @ back
    return np.asarray(np.clip(mean + (rates - mean) @ bridge.T, 0.0, 1.0), np.float64)


def _power(matrix: F64, power: float) -> F64:
    """A power of a symmetric matrix; what is below 0 in it counts as 0, and 0 stays 0."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-12
    raised = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    return np.asarray((vectors * raised) @ vectors.T, np.float64)


def _replicates(rates: F64, decided: npt.NDArray[np.int64], sign: F64, draws: int) -> F64:
    """Scores of evaluations drawn anew: items with replacement, and for each as many samples as it had."""
    chance = np.random.default_rng(_SEED)
    items = len(rates)
    block = max(1, _CELLS // items)
    parts = []
    for start in range(0, draws, block):
        chosen = chance.integers(items, size=(min(block, draws - start), items))
        asked = decided[chosen]
        parts.append(((chance.binomial(asked, rates[chosen]) / asked) @ sign).mean(axis=1))
    return np.concatenate(parts)
