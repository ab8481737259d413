"""1,000 evaluations drawn from one stored matrix: how often the interval holds the matrix's score, and how wide it is.

The matrix has 128 samples of a model of the zoo of each of 200 items (matrix.py). Each evaluation draws 200 items with
replacement, and 4 or 16 of an item's samples without.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.training.matrix import SAMPLES, passed
from tracemill.evaluate.estimates import Counts, pass_at_1

EVALUATIONS = 1_000
DRAWS = 500
ASKED = (4, 16)
Passes = npt.NDArray[np.int64]


def figures() -> dict[str, float | int]:
    """Coverage, and the mean width as a share of the central 90 % of the estimates, by samples an item."""
    matrix = np.array(passed(), np.int64)
    found: dict[str, float | int] = {"matrix_items": len(matrix), "matrix_score": float(matrix.mean() / SAMPLES)}
    for samples in ASKED:
        covers, width, naive = _measured(matrix, samples)
        found |= {
            f"interval_covers_{samples}": covers,
            f"interval_width_{samples}": width,
            f"interval_width_two_levels_{samples}": naive,
        }
    return found


def _measured(matrix: Passes, samples: int) -> tuple[float, float, float]:
    """Coverage, relative width, and the relative width if items and samples were both drawn from what was seen."""
    chance = np.random.default_rng(samples)
    true = matrix.mean() / SAMPLES
    found = []
    naive = []
    for number in range(EVALUATIONS):
        counts = _evaluation(chance, matrix, samples)
        found.append(pass_at_1(counts, draws=DRAWS))
        if number % 20 == 0:
            naive.append(_naive_width(chance, counts))
    held = np.mean([one.low <= true <= one.high for one in found])
    low, high = np.quantile([one.mean for one in found], [0.05, 0.95])
    central = high - low
    return float(held), float(np.mean([one.high - one.low for one in found]) / central), float(np.mean(naive) / central)


def _evaluation(chance: np.random.Generator, matrix: Passes, samples: int) -> Counts:
    items = chance.choice(matrix, len(matrix))
    return Counts(chance.hypergeometric(items, SAMPLES - items, samples), np.full(len(items), samples))


def _naive_width(chance: np.random.Generator, counts: Counts) -> float:
    """What two levels give that both draw from what was seen: the samples' part counts twice."""
    decided = np.asarray(counts.decided)
    rates = np.asarray(counts.passed) / decided
    chosen = chance.integers(len(rates), size=(DRAWS, len(rates)))
    drawn = (chance.binomial(decided[chosen], rates[chosen]) / decided[chosen]).mean(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(high - low)
