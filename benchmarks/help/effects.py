"""Whether harm is found and nothing else is: half of the traces wrong, and 1,000 changes that are none.

The students are those of `seeds.jsonl` (see students.py): one model, trained by many seeds on right traces, and by some
on the same traces of which half answers another problem. A null change compares five of these
seeds with five others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.help.students import HARMED, known
from tracemill.ablate.deltas import delta

CHANGES = 1_000
SEEDS = 5
DRAWS = 500
F64 = NDArray[np.float64]


def figures() -> dict[str, float | int]:
    """`planted_harm_p`, `null_calls`, and how often plain resampling of seeds and items would have called."""
    rows = known("seeds")
    right = _rates([row["passed"] for row in rows if row["data"] == "right"])
    harmed = _rates([row["passed"] for row in rows if row["data"] == "half_wrong"])
    if len(right) < 4 * SEEDS or len(harmed) < HARMED:
        print("no table of seeds: make it with `python -m benchmarks.help.students sample` and `count`")
        return {}
    planted = delta(harmed, right[: len(harmed)])
    chance = np.random.default_rng(17)
    pairs = [np.split(chance.permutation(len(right))[: 2 * SEEDS], 2) for _ in range(CHANGES)]
    called = [delta(right[one], right[other]).p < 0.05 for one, other in pairs]
    resampled = [_resampled(chance, right[one] - right[other]) for one, other in pairs[:300]]
    return {
        "seeds_in_table": len(right),
        "score_right": float(right.mean()),
        "score_half_wrong": float(harmed.mean()),
        "deviation_of_seeds": float(right.mean(axis=1).std(ddof=1)),
        "planted_harm": planted.mean,
        "planted_harm_p": planted.p if planted.mean < 0 else 1.0,
        "planted_harm_visible": planted.visible,
        "null_calls": float(np.mean(called)),
        "null_calls_resampled": float(np.mean(resampled)),
    }


def _rates(passed: list[list[int]]) -> F64:
    return np.array(passed, np.float64)


def _resampled(chance: np.random.Generator, apart: F64) -> bool:
    """Whether the 95 % percentile interval of seeds and items drawn anew leaves 0 out."""
    seeds, items = apart.shape
    drawn = [
        apart[np.ix_(chance.integers(seeds, size=seeds), chance.integers(items, size=items))].mean()
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return bool(low > 0 or high < 0)
