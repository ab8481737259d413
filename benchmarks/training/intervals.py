"""1,000 evaluations drawn from one stored matrix: how often the interval holds the matrix's score, and how wide it is.

The matrix has the outcomes of 128 samples of each of 200 items. TRACEMILL_MATRIX names the store of an evaluation with
as many samples, whose first model's outcomes are taken; without it the items' pass rates are drawn from the Beta
distributions that the published labels of GSM8K (four models) and MATH (eight samples) below TRACEMILL_DATA give, half
of each. Each evaluation draws 200 items with replacement, and 4 or 16 of an item's samples without.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.grading.replay import published
from tracemill.distill.priors import beta_of
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.evaluate.estimates import Counts, pass_at_1
from tracemill.grade.step import Grade
from tracemill.report.funnel import recipe_of

ITEMS = 200
SAMPLES = 128
EVALUATIONS = 1_000
DRAWS = 500
ASKED = (4, 16)
Matrix = npt.NDArray[np.int64]


def figures() -> dict[str, float | int]:
    """Coverage, and the mean width as a share of the central 90 % of the estimates, by samples an item."""
    matrix = _matrix()
    if matrix is None:
        print("no matrix: set TRACEMILL_MATRIX to one, or TRACEMILL_DATA to the folder of the public samples")
        return {}
    found: dict[str, float | int] = {}
    for samples in ASKED:
        covers, width, naive = _measured(matrix, samples)
        found |= {
            f"interval_covers_{samples}": covers,
            f"interval_width_{samples}": width,
            f"interval_width_two_levels_{samples}": naive,
        }
    return found


def _matrix() -> Matrix | None:
    """The stored matrix, or one drawn as the labels are."""
    if root := os.environ.get("TRACEMILL_MATRIX"):
        return _stored(root)
    folder = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"))
    if not folder.is_dir():
        return None
    labels = published(folder)
    chance = np.random.default_rng(11)
    rates = []
    for name in ("gsm8k", "math"):
        passed = np.array([row.count("pass") for row in labels[name]], float)
        shape = beta_of(passed, np.array([len(row) for row in labels[name]], float))
        rates.append(chance.beta(*shape, ITEMS // 2))
    return chance.binomial(1, np.concatenate(rates)[:, None], (ITEMS, SAMPLES))


def _stored(root: str) -> Matrix:
    """One row an item and one column a sample: whether it passed, of the first model by name; undecided did not."""
    store = Store.at(root)
    recipe = recipe_of(store)
    grades = [name for name, step in recipe.steps.items() if isinstance(step, Grade)]
    sealed = (store.manifest(name, shard) for name in grades for shard in range(shard_count(store)))
    names = ["problem_id", "teacher", "mode", "sample_index", "passed"]
    rows = pl.concat([pl.DataFrame(store.get_table(m.tables["scores"], names)) for m in sealed if m is not None])
    own = rows.filter(pl.col("teacher") == rows["teacher"].min()).sort("problem_id", "sample_index")
    items = own.group_by("problem_id", maintain_order=True).agg(pl.col("passed").fill_null(False).cast(pl.Int64))
    least = items["passed"].list.len().min()
    return np.array(items["passed"].list.head(least).to_list(), np.int64)


def _measured(matrix: Matrix, samples: int) -> tuple[float, float, float]:
    """Coverage, relative width, and the relative width if items and samples were both drawn from what was seen."""
    chance = np.random.default_rng(samples)
    true = matrix.mean()
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


def _evaluation(chance: np.random.Generator, matrix: Matrix, samples: int) -> Counts:
    items = matrix[chance.integers(len(matrix), size=ITEMS)]
    kept = np.argpartition(chance.random(items.shape), samples, axis=1)[:, :samples]
    return Counts(np.take_along_axis(items, kept, axis=1).sum(axis=1), np.full(ITEMS, samples))


def _naive_width(chance: np.random.Generator, counts: Counts) -> float:
    """What two levels give that both draw from what was seen: the samples' part counts twice."""
    decided = np.asarray(counts.decided)
    rates = np.asarray(counts.passed) / decided
    chosen = chance.integers(len(rates), size=(DRAWS, len(rates)))
    drawn = (chance.binomial(decided[chosen], rates[chosen]) / decided[chosen]).mean(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(high - low)
