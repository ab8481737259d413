"""How often the 90 % interval of a forecast holds what came: 1,000 replays drawn from stored runs.

A stored run is what a teacher made of problems, each sampled several times: the zoo's three teachers on the problems of
benchmarks/grading/truth.jsonl (64 samples each, whose lengths are the mean of right and of wrong ones), and, where
TRACEMILL_DATA names them, published responses with labels: GSM8K (four solutions), MATH (eight) and KodCode (three
traces of DeepSeek-R1), in one run, as their lengths are decades apart. A replay draws the problems of a run from it,
samples each until one passes or a fixed number of times, has the product choose a pilot of 300 or 1 %, and compares the
product's interval of the completion tokens with their sum over all problems. The widest interval is told as the ratio
of its ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.grading.replay import rows_of
from benchmarks.grading.truth import COUNTS, SAMPLES, known
from tracemill.distill.forecasts import Tally
from tracemill.distill.stratified import stratified

REPLAYS = 1_000
PROBLEMS = (3_000, 40_000)  # of a replay: 10 % and 1 % of them are tried
LEAST = 300
SHARE = 0.01
CAP = 4  # samples of a problem
CHARACTERS_A_TOKEN = 3.5
_GSM8K = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Stored:
    """A run: the group of each problem, and of each of its samples whether it passed and how long it was.

    Both are (problems, samples); a sample that there is not has length NaN.
    """

    name: str
    group: list[tuple[str, str]]
    passed: NDArray[np.bool_]
    tokens: F64


def figures() -> dict[str, float | int]:
    """Coverage over all replays, by run too, and the widest ratio of an interval's ends."""
    cases = [(run, size, until) for run in _runs() for size in PROBLEMS for until in (True, False)]
    each = -(-REPLAYS // len(cases))
    held: list[float] = []
    widest = 0.0
    by_run: dict[str, list[float]] = {}
    for number, (run, size, until) in enumerate(cases):
        chance = np.random.default_rng(number)
        found = [_replayed(run, size, until, chance) for _ in range(each)]
        held += [float(one) for one, _ in found]
        by_run.setdefault(run.name, []).extend(float(one) for one, _ in found)
        widest = max(widest, *(ratio for _, ratio in found))
    told = {f"forecast_coverage_{name}": float(np.mean(one)) for name, one in by_run.items()}
    whole = {"forecast_coverage": float(np.mean(held)), "forecast_widest": widest, "forecast_replays": len(held)}
    return {**whole, **told}


def _replayed(run: Stored, size: int, until_pass: bool, chance: np.random.Generator) -> tuple[bool, float]:
    """Whether the interval holds what all of `size` problems took, and the ratio of its ends."""
    drawn = chance.integers(len(run.group), size=size)
    tokens = _taken(run, drawn, until_pass, chance)
    category, difficulty = np.array(run.group)[drawn].T
    ids = [f"p{one:024x}" for one in chance.integers(1 << 63, size=size).tolist()]
    rows = pl.DataFrame({"id": ids, "category": category, "difficulty": difficulty, "completion_tokens": tokens})
    chosen = stratified(rows, max(LEAST, round(SHARE * size)))
    piloted = rows.filter(pl.col("id").is_in(chosen.implode()))
    strata = rows.group_by("category", "difficulty").agg(pl.len().cast(pl.Int64).alias("problems"))
    total = Tally(piloted, strata).total("completion_tokens")
    assert total is not None
    return total.holds(float(tokens.sum())), total.high / total.low


def _taken(run: Stored, drawn: I64, until_pass: bool, chance: np.random.Generator) -> F64:
    """The tokens of each drawn problem: of its samples in a random order up to the first that passes, or of all."""
    lengths = run.tokens[drawn]
    there = ~np.isnan(lengths)
    order = np.argsort(np.where(there, chance.random(lengths.shape), 2.0), axis=1)[:, :CAP]
    lengths = np.nan_to_num(np.take_along_axis(lengths, order, axis=1))
    if not until_pass:
        return np.asarray(lengths.sum(axis=1))
    passed = np.take_along_axis(run.passed[drawn], order, axis=1)
    before = np.cumsum(passed, axis=1) - passed
    return np.asarray(np.where(before == 0, lengths, 0.0).sum(axis=1))


def _runs() -> Iterator[Stored]:
    yield from _zoo()
    folder = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"))
    if folder.is_dir():
        yield _published(folder)
    else:
        print("no public samples: set TRACEMILL_DATA to their folder; only the zoo's runs are replayed")


def _zoo() -> Iterator[Stored]:
    """One run a teacher, of 64 samples a problem."""
    every = known(COUNTS)
    for teacher in sorted({one.teacher for one in every}):
        own = [one for one in every if one.teacher == teacher]
        passed = np.arange(SAMPLES)[None, :] < np.array([one.passed for one in own])[:, None]
        right = np.array([one.tokens_right / max(1, one.passed) for one in own])[:, None]
        wrong = np.array([one.tokens_wrong / max(1, SAMPLES - one.passed) for one in own])[:, None]
        yield Stored(teacher, [(one.kind, str(one.level)) for one in own], passed, np.where(passed, right, wrong))


def _published(folder: Path) -> Stored:
    rows: list[tuple[tuple[str, str], list[tuple[bool, int]]]] = []
    for row in rows_of(folder / "gsm8k_model_solutions.jsonl"):
        said = [(bool(row[name]["is_correct"]), len(row[name]["solution"])) for name in _GSM8K]
        rows.append((("math", "school"), said))
    for row in rows_of(folder / "math_cot_100x8.jsonl"):
        said = [(bool(right), len(text)) for right, text in zip(row["score"], row["code"], strict=True)]
        rows.append((("math", "competition"), said))
    for row in rows_of(folder / "kodcode_r1.jsonl"):
        traces = [json.dumps(one) if not isinstance(one, str) else one for one in row["r1_generations"]]
        said = [(right == "Pass", len(text)) for right, text in zip(row["r1_test_result"], traces, strict=True)]
        rows.append((("code", ""), said))
    most = max(len(said) for _, said in rows)
    passed = np.zeros((len(rows), most), bool)
    tokens = np.full((len(rows), most), np.nan)
    for place, (_, said) in enumerate(rows):
        passed[place, : len(said)] = [right for right, _ in said]
        tokens[place, : len(said)] = [length / CHARACTERS_A_TOKEN for _, length in said]
    return Stored("published", [group for group, _ in rows], passed, tokens)
