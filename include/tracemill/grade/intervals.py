"""The interval in which a pass rate lies, from how many samples passed of how many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

F64 = npt.NDArray[np.float64]
_PRIOR = 0.5  # Jeffreys: Beta(1/2, 1/2)


def pass_rate_interval(passed: npt.ArrayLike, decided: npt.ArrayLike, level: float = 0.9) -> tuple[F64, F64]:
    """Jeffreys' equal-tailed interval of each pass rate, at `level`; NaN where nothing was decided.

    The quantiles of Beta(passed + 1/2, failed + 1/2), with 0 where none passed and 1 where all did (Brown, Cai and
    DasGupta, Statistical Science 16, 2001, section 4.3). Over all rates it holds the true one 91 % of the time with
    four samples, where Clopper and Pearson's holds it 98 % and is a quarter wider: no interval of 90 %.
    """
    passes = np.asarray(passed, np.float64)
    fails = np.asarray(decided, np.float64) - passes
    tail = (1 - level) / 2
    low = np.where(passes == 0, 0.0, betaincinv(passes + _PRIOR, fails + _PRIOR, tail))
    high = np.where(fails == 0, 1.0, betaincinv(passes + _PRIOR, fails + _PRIOR, 1 - tail))
    nothing = passes + fails == 0
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
