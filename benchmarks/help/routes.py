"""How far a proposed table of routes can be believed: replays drawn from stored runs.

The stored run is what the zoo's three teachers made of the problems of benchmarks/grading/truth.jsonl, 64 samples each
of the same problems (their lengths are the mean of right and of wrong ones). A replay draws the problems of a run from
it, samples each by every teacher until one passes, has the product choose a pilot of 300 and propose, and compares what
the proposal takes and solves of all problems with what was said, with the strongest teacher alone, and with the table
that whoever knew all outcomes would choose. The zoo's teachers stand for a cheap, a middling and a dear one: tokens
cost 1, 3 and 10.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.grading.truth import COUNTS, SAMPLES, Known, known
from tracemill.distill.stratified import stratified
from tracemill.report.routes.pilots import Kind
from tracemill.report.routes.plans import Plan, Sample, choose
from tracemill.report.routes.plans import strongest as most
from tracemill.report.routes.proposing import Route, propose
from tracemill.report.routes.totals import course
from tracemill.report.routes.tried import Tried

REPLAYS = 300
PROBLEMS = 3_000
TRIED = 300
CAP = 4  # samples of a problem
PRICES = {"teacher-weak": 1.0, "teacher-small": 3.0, "teacher-large": 10.0}  # a token
TOLERANCE = 0.05


def figures() -> dict[str, float | int]:
    """Shares of replays in which intervals held, and what was saved and lost on average."""
    truth = _truth()
    found = [_replayed(truth, np.random.default_rng(number)) for number in range(REPLAYS)]
    means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    return {**means, "routes_least_solved": min(one["routes_solved"] for one in found), "routes_replays": len(found)}


def _truth() -> dict[int, dict[str, Known]]:
    """What each teacher made of each problem that all were asked."""
    by = defaultdict[int, dict[str, Known]](dict)
    for one in known(COUNTS):
        by[one.number][one.teacher] = one
    return {number: own for number, own in by.items() if own.keys() == PRICES.keys()}


def _replayed(truth: Mapping[int, Mapping[str, Known]], chance: np.random.Generator) -> dict[str, float]:
    numbers = np.array(sorted(truth))[chance.integers(len(truth), size=PROBLEMS)]
    kinds = [next(iter(truth[number].values())) for number in numbers.tolist()]
    rows = pl.DataFrame(
        {
            "problem_id": [f"p{one:024x}" for one in chance.integers(1 << 63, size=PROBLEMS).tolist()],
            "category": [one.kind for one in kinds],
            "difficulty": [str(one.level) for one in kinds],
            **_asked(truth, numbers, chance),
        }
    )
    chosen = stratified(rows.rename({"problem_id": "id"}), TRIED)
    sizes = {
        row[:2]: (int(row[2]), tuple(sorted(PRICES))) for row in rows.group_by("category", "difficulty").len().rows()
    }
    part = rows.filter(pl.col("problem_id").is_in(chosen.implode())).sort("problem_id")
    return _compared(propose(Tried({}, part, sizes, "EUR", ()), TOLERANCE), rows)


def _asked(
    truth: Mapping[int, Mapping[str, Known]], numbers: NDArray[np.int64], chance: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """What each teacher took of each problem until one of its samples passed, and whether one did."""
    columns: dict[str, NDArray[Any]] = {}
    for name, price in PRICES.items():
        own = [truth[number][name] for number in numbers.tolist()]
        passed = np.array([one.passed for one in own])
        right = np.array([one.tokens_right / max(1, one.passed) for one in own])
        wrong = np.array([one.tokens_wrong / max(1, SAMPLES - one.passed) for one in own])
        places = chance.random((len(own), SAMPLES)).argsort(axis=1)[:, :CAP]  # samples without replacement
        hits = places < passed[:, None]
        solved = np.asarray(hits.any(axis=1))
        tokens = np.where(solved, hits.argmax(axis=1), CAP) * wrong + np.where(solved, right, 0.0)
        columns |= {f"tokens:{name}": tokens, f"money:{name}": tokens * price}
        columns |= {f"told:{name}": np.ones(len(own), bool), f"passed:{name}": solved}
    return columns


def _compared(routes: list[Route], rows: pl.DataFrame) -> dict[str, float]:
    decided = {one.kind: one.teachers for one in routes if one.is_decided}
    said = course("", [one for one in routes if one.is_decided], decided)
    assert said.tokens
    assert said.cost
    assert said.solved
    whole = {kind: _sample(rows, kind) for kind in decided}
    took = _sums(whole, decided)
    strongest = max(PRICES, key=lambda name: _sums(whole, dict.fromkeys(whole, (name,)))[2])
    alone = _sums(whole, dict.fromkeys(whole, (strongest,)))
    best = _sums(whole, {kind: choose(sample, most(sample), TOLERANCE).teachers for kind, sample in whole.items()})
    return {
        "routes_tokens_held": float(said.tokens.holds(took[0])),
        "routes_money_held": float(said.cost.holds(took[1])),
        "routes_solved_held": float(said.solved.holds(took[2])),
        "routes_money_ratio": said.cost.high / said.cost.low,
        "routes_cost": (took[1] / took[2]) / (alone[1] / alone[2]),
        "routes_cost_if_all_were_known": (best[1] / best[2]) / (alone[1] / alone[2]),
        "routes_solved": took[2] / alone[2],
    }


def _sample(rows: pl.DataFrame, kind: Kind) -> Sample:
    own = rows.filter(pl.col("category") == kind[0], pl.col("difficulty") == kind[1])
    names = tuple(sorted(PRICES))
    parts = {
        what: own.select([f"{what}:{name}" for name in names]).to_numpy()
        for what in ("tokens", "money", "told", "passed")
    }
    return Sample(names, parts["tokens"], parts["money"], parts["told"], parts["passed"])


def _sums(whole: Mapping[Kind, Sample], plans: Mapping[Kind, Plan]) -> tuple[float, float, float]:
    """Tokens, money and solved problems of all."""
    found = np.zeros(3)
    for kind, sample in whole.items():
        if plan := plans[kind]:
            parts = (sample.spent(plan, sample.tokens), sample.spent(plan, sample.cost), sample.solves(plan))
            found += [float(part.sum()) for part in parts]
    return float(found[0]), float(found[1]), float(found[2])
