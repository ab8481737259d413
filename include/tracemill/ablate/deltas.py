"""Says what a change of the data did to a student's score, and how far that can be trusted.

Students of several seeds answer the same items: a table of seeds and items, once with the change and once without. Both
are random effects: other seeds would have given other students, other items another difference. So the error of the
mean difference is that of a crossed layout (Scheffe, The Analysis of Variance, 1959, chapter 7): what seeds vary by,
and what items vary by beyond the noise that is in the seeds' part already. A seed of one arm stands against the same
seed of the other: they draw their rows alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

F64 = npt.NDArray[np.float64]
LEVEL = 0.95
POWER = 0.8  # how often a difference that is there should be found
LEAST_SEEDS = 2
_NOTHING = 1e-9  # an error of a mean of pass rates that is only rounding


class Delta(NamedTuple):
    """The `mean` difference with its interval from `low` to `high` and its standard `error`; `p` is two-sided.

    `visible` is the smallest true difference that such a comparison finds in POWER of cases. Where nothing varies
    (the interval is from -1 to 1 then) nothing can be said, and it is NaN.
    """

    mean: float
    low: float
    high: float
    error: float
    p: float
    visible: float

    def call(self, level: float = LEVEL) -> str:
        """helpful or harmful where the interval leaves 0 out; else not told."""
        if self.p >= 1 - level:
            return "not told"
        return "helpful" if self.mean > 0 else "harmful"


def delta(changed: npt.ArrayLike, control: npt.ArrayLike, level: float = LEVEL) -> Delta:
    """The mean of `changed` less that of `control`: pass rates of shape (seeds, items), both in the same order.

    Raises ValueError for other shapes, and for fewer than two seeds or items.
    """
    one = np.asarray(changed, np.float64)
    other = np.asarray(control, np.float64)
    if one.shape != other.shape or one.ndim != 2 or min(one.shape) < LEAST_SEEDS:
        raise ValueError(f"two tables of the same seeds and items are needed, two of each at least: {one.shape}")
    apart = one - other
    mean = float(apart.mean())
    error, freedom = _error(apart)
    if error < _NOTHING:
        return Delta(mean, -1.0, 1.0, np.nan, 1.0, np.nan)
    reach = float(student.ppf(1 - (1 - level) / 2, freedom))
    p = 2 * float(student.sf(abs(mean) / error, freedom))
    visible = (reach + float(student.ppf(POWER, freedom))) * error
    return Delta(mean, max(-1.0, mean - reach * error), min(1.0, mean + reach * error), error, p, visible)


def _error(apart: F64) -> tuple[float, float]:
    """The standard error of the mean of (seeds, items), and Satterthwaite's degrees of freedom for it."""
    seeds, items = apart.shape
    of_seeds = apart.mean(axis=1)
    of_items = apart.mean(axis=0)
    rest = apart - of_seeds[:, None] - of_items[None, :] + apart.mean()
    by_seed = items * float(of_seeds.var(ddof=1))
    by_item = seeds * float(of_items.var(ddof=1))
    noise = float((rest**2).sum()) / ((seeds - 1) * (items - 1))
    if by_item <= noise:  # items differ by no more than seeds explain
        return float(np.sqrt(by_seed / apart.size)), seeds - 1.0
    whole = by_seed + by_item - noise
    spread = by_seed**2 / (seeds - 1) + by_item**2 / (items - 1) + noise**2 / ((seeds - 1) * (items - 1))
    return float(np.sqrt(whole / apart.size)), max(seeds - 1.0, whole**2 / spread)
