"""Turns items into scores: pass@1 of each model on each benchmark, and what two models differ by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import isnan
from typing import Any

import polars as pl

from tracemill.engine.tables import columns_of
from tracemill.evaluate.estimates import Counts, difference, pass_at_1

_MODEL = ["benchmark", "teacher", "mode"]


def evaluations(items: pl.DataFrame, released: Mapping[str, str], level: float, draws: int) -> pl.DataFrame:
    """The rows of table `evaluations`, by benchmark and model, from those of `evaluation_items`."""
    groups = items.group_by(_MODEL, maintain_order=True)
    return _frame("evaluations", (_scored(rows, released, level, draws) for _, rows in groups))


def _scored(rows: pl.DataFrame, released: Mapping[str, str], level: float, draws: int) -> dict[str, Any]:
    first = rows.row(0, named=True)
    answered = rows.filter(pl.col("decided") > 0)
    found: dict[str, Any] = {name: first[name] for name in ("benchmark", "title", "teacher", "mode")}
    found |= {"items": rows.height, "answered": answered.height}
    found |= {name: rows[name].sum() for name in ("asked", "decided", "passed")}
    if answered.height:
        estimate = pass_at_1(Counts(answered["passed"].to_numpy(), answered["decided"].to_numpy()), level, draws)
        found |= {"pass_at_1": estimate.mean, "low": estimate.low, "high": estimate.high}
        found["visible"] = _number(estimate.visible)
    asked = pl.when(pl.col("asked") > 0).then(pl.col("asked")).otherwise(1)
    bounds = rows.select(
        at_least=(pl.col("passed") / asked).mean(),
        at_most=((pl.col("passed") + asked - pl.col("decided")) / asked).mean(),
    )
    found |= bounds.row(0, named=True)
    samples = int(rows["samples"].sum())
    found |= {"cut": int(rows["cut"].sum()) / samples, "tokens": _mean(rows["tokens"], samples)} if samples else {}
    sampled = rows.filter(pl.col("samples") > 0)
    if sampled.height and not sampled["second_passed"].has_nulls():
        found["second"] = (sampled["second_passed"] / sampled["samples"]).mean()
    days = rows["published"].drop_nulls()
    return found | {"first": days.min(), "last": days.max(), "released": released.get(first["teacher"] or "")}


def differences(items: pl.DataFrame, level: float, draws: int) -> pl.DataFrame:
    """The rows of table `evaluation_differences`: each two models that were asked about one benchmark."""
    return _frame("evaluation_differences", _compared(items.filter(pl.col("decided") > 0), level, draws))


def _compared(items: pl.DataFrame, level: float, draws: int) -> Iterator[dict[str, Any]]:
    for _, rows in items.group_by("benchmark", maintain_order=True):
        models = [group for _, group in rows.group_by("teacher", "mode", maintain_order=True)]
        for one, other in combinations(models, 2):
            both = one.join(other, on="problem_id", how="inner", suffix="_other", maintain_order="left")
            if both.height:
                yield _difference(both, level, draws)


def _difference(both: pl.DataFrame, level: float, draws: int) -> dict[str, Any]:
    first = both.row(0, named=True)
    counts = [Counts(both[f"passed{end}"].to_numpy(), both[f"decided{end}"].to_numpy()) for end in ("", "_other")]
    estimate = difference(counts[0], counts[1], level, draws)
    return {
        **{name: first[name] for name in ("benchmark", "title", "teacher", "mode")},
        "other": first["teacher_other"],
        "other_mode": first["mode_other"],
        "items": both.height,
        "difference": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "visible": _number(estimate.visible),
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _mean(column: pl.Series, of: int) -> float | None:
    """The mean a sample; null where nobody counted."""
    return None if column.null_count() == len(column) else float(column.sum()) / of


def _frame(name: str, rows: Iterator[dict[str, Any]]) -> pl.DataFrame:
    schema = pl.DataFrame(columns_of(name).empty_table()).schema
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema)
