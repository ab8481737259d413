"""Measures how a number is distributed over all shards and says where it is to be cut."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.engine.categories import named
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of

Metric = Literal["reward", "score", "perplexity", "rsr"]
By = Literal["all", "category", "teacher"]
EVERYTHING = "*"
OF_TEACHER = "teacher "  # how the group of a teacher begins, and no category
_BINS = 40


class CutStep(Step):
    """Compute the threshold of `metric`: a quantile of the living responses of all shards, or an absolute number.

    With `by` "category" each category of problems has its own distribution and threshold: a long proof is not as easy
    to predict as a greeting. With "teacher" each model that wrote responses has: arXiv 2505.14464 has another
    perplexity threshold for each of its three and gives none. `thresholds` are absolute numbers by category or teacher,
    before `quantile` and `threshold`. The table `cuts` keeps the distributions for the report; a `gate` step applies
    them.
    """

    kind: Literal["cut"]
    metric: Metric  # which number of a response
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None  # the share below it; or give `threshold`
    threshold: float | None = None  # an absolute number; or give `quantile`
    thresholds: Annotated[dict[str, float], Field(exclude_if=lambda own: not own)] = Field(default_factory=dict)
    by: By = "all"

    @model_validator(mode="after")
    def _names_what_it_cuts(self) -> Self:
        if self.thresholds and self.by == "all":
            raise ValueError("thresholds are by category or teacher: say which with `by`")
        if self.quantile is not None and self.threshold is not None:
            raise ValueError(f"quantile is {self.quantile:g} and threshold {self.threshold:g}: give one of them")
        if self.quantile is None and self.threshold is None and not self.thresholds:
            raise ValueError("nothing says where to cut: give `quantile`, `threshold` or `thresholds`")
        numbers = {"threshold": self.threshold, **{f"thresholds.{name}": one for name, one in self.thresholds.items()}}
        if bad := [place for place, number in numbers.items() if number is not None and not math.isfinite(number)]:
            raise ValueError(f"{bad[0]} is no finite number")
        if self.by == "category" and len({named(name) for name in self.thresholds}) < len(self.thresholds):
            raise ValueError(f"one category is named twice, in two spellings: {', '.join(self.thresholds)}")
        return self

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "row"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "rewards", "measurements", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("cuts",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Measure all shards; one row of `cuts` for each measurer and group. Memory: one number and word a response."""
        values = pa.concat_tables([measured_values(inputs, self.metric, self.by, k) for k in inputs.shards()])
        rows = [self._row(measurer, group, numbers) for measurer, group, numbers in _groups(values)]
        ids = [f"{self.metric}/{row['measurer']}/{row['group']}" for row in rows]
        return Output(ledger_rows("row", ids), {"cuts": pa.Table.from_pylist(rows, columns_of("cuts"))})

    def _row(self, measurer: str, group: str, values: npt.NDArray[np.float64]) -> dict[str, Any]:
        counts, edges = _distribution(values)
        threshold = self.threshold if self.quantile is None else float(np.quantile(values, self.quantile))
        own = self._own(group)
        return {
            "metric": self.metric,
            "measurer": measurer,
            "group": group,
            "rows": len(values),
            "quantile": self.quantile if own is None else None,
            "threshold": threshold if own is None else own,
            "minimum": float(values.min()),
            "median": float(np.median(values)),
            "maximum": float(values.max()),
            "edges": edges.tolist(),
            "counts": counts.tolist(),
        }

    def _own(self, group: str) -> float | None:
        """The number that `thresholds` has for a group; a category in any spelling."""
        if self.by == "teacher":
            return self.thresholds.get(group.removeprefix(OF_TEACHER))
        return {named(category): number for category, number in self.thresholds.items()}.get(named(group))


def _distribution(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """How many values lie in each of so many equal bins, and the bins' edges.

    Values closer to each other than numbers of 64 bits can part so often have bins around them, as equal ones have.
    """
    try:
        return np.histogram(values, bins=_BINS)
    except ValueError:
        middle = float(values[0])
        around = max(0.5, 1e-6 * abs(middle))
        return np.histogram(values, bins=_BINS, range=(middle - around, middle + around))


def measured_values(inputs: Inputs, metric: str, by: By, shard: int) -> pa.Table:
    """generation_id, measurer, group and value of the living responses of one shard that have the metric."""
    if metric == "reward":
        table = inputs.table("rewards", ["generation_id", "reward_model", "score"], shard)
    else:
        table = inputs.table("measurements", ["generation_id", "measurer", "value", "metric"], shard)
        table = table.filter(pc.equal(table["metric"], metric)).drop_columns(["metric"])
    table = table.rename_columns(["generation_id", "measurer", "value"])
    table = table.set_column(2, "value", pc.cast(table["value"], pa.float64()))
    table = table.filter(pc.is_finite(table["value"]))  # a number that is none measures nothing
    table = table.filter(pc.is_in(table["generation_id"], value_set=inputs.alive("generation", shard)))
    return table.append_column("group", _group_of(inputs, table, by, shard))


def _group_of(inputs: Inputs, table: pa.Table, by: By, shard: int) -> pa.Array:
    if by == "all":
        return pa.array([EVERYTHING] * table.num_rows, pa.string())
    owners = pl.DataFrame(inputs.table("generations", ["id", "problem_id", "teacher"], shard))
    if by == "teacher":
        found = owners.select("id", group=pl.lit(OF_TEACHER) + pl.col("teacher").fill_null(""))
    else:
        problems = pl.DataFrame(inputs.table("problems", ["id", "category"], shard)).rename({"id": "problem_id"})
        joined = owners.join(problems.unique("problem_id", keep="last"), on="problem_id", how="left")
        found = joined.select("id", group=pl.col("category").replace("", None).fill_null("other"))
    rows = pl.DataFrame({"id": table["generation_id"]})
    of = rows.join(found.unique("id", keep="last"), on="id", how="left", maintain_order="left")
    return of["group"].to_arrow().cast(pa.string())


def _groups(values: pa.Table) -> Iterable[tuple[str, str, npt.NDArray[np.float64]]]:
    """Measurer, group and their numbers, in the order of the names."""
    pairs = (
        values.group_by(["measurer", "group"])
        .aggregate([])
        .sort_by([("measurer", "ascending"), ("group", "ascending")])
    )
    for pair in pairs.to_pylist():
        mine = pc.and_(pc.equal(values["measurer"], pair["measurer"]), pc.equal(values["group"], pair["group"]))
        yield pair["measurer"], pair["group"], values.filter(mine)["value"].to_numpy()
