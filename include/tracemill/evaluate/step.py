"""Says what models score on benchmarks, from the grades of their items: pass@1 with its interval, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field

from tracemill.engine.days import Day
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, kept_rows
from tracemill.engine.tables import columns_of
from tracemill.evaluate.estimates import DRAWS
from tracemill.evaluate.items import Part, items_of, part_of
from tracemill.evaluate.scored import differences, evaluations
from tracemill.evaluate.second import SecondOpinion, disagreements, library


class Evaluate(Step):
    """Write what each model scores on each source; see docs/design/evaluation.md. Nothing is turned away here.

    A benchmark is a source, its student a teacher: put distill steps with `problems: all`, the verify steps and `grade`
    before it. `interval` says how sure the intervals are, over items and samples; `draws`: how often both are drawn
    anew for that. `released`: by model, the day on which it came out: items that came out before may have been in what
    it was trained on. A student's teachers may be named there, too. `second_opinion`: whether every answer of
    mathematics is also compared by plain math-verify.

    Ledger, by problem: kept.
    """

    kind: Literal["evaluate"]
    interval: Annotated[float, Field(gt=0, lt=1)] = 0.9
    draws: Annotated[int, Field(ge=200)] = DRAWS
    released: dict[str, Day] = Field(default_factory=dict)
    second_opinion: bool = True

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "scores", "grades", "ledger")
    writes: ClassVar[tuple[str, ...]] = (
        "evaluations",
        "evaluation_items",
        "evaluation_differences",
        "second_opinions",
    )

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The math-verify whose opinion is asked."""
        return {"math-verify": library()} if self.second_opinion else {}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Read shard by shard, then estimate. Raises VerifierError when math-verify cannot be run at all."""
        parts: list[Part] = []
        differing: list[pl.DataFrame] = []
        with SecondOpinion(resources.workers) as second:
            for shard in inputs.shards():
                opinions = second.of(inputs, shard) if self.second_opinion else None
                parts.append(part_of(inputs, shard, opinions))
                differing += [] if opinions is None else [disagreements(opinions)]
        items = items_of(parts)
        scores = evaluations(items, self.released, self.interval, self.draws)
        for row in scores.iter_rows(named=True):
            resources.tell(_sentence(row, self.interval))
        tables = {
            "evaluations": scores,
            "evaluation_items": items,
            "evaluation_differences": differences(items, self.interval, self.draws),
            "second_opinions": pl.concat(differing) if differing else _nothing(),
        }
        ledger = kept_rows("problem", self.entering(inputs))
        return Output(ledger, {name: _table(rows, name) for name, rows in tables.items()})


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(columns_of("second_opinions").empty_table())


def _table(rows: pl.DataFrame, name: str) -> pa.Table:
    schema = columns_of(name)
    return rows.select(schema.names).to_arrow().cast(schema)


def _sentence(row: Mapping[str, object], level: float) -> str:
    """A score as the log tells it."""
    mode = f" ({row['mode']})" if row["mode"] else ""
    who = f"{row['title']}, {row['teacher'] or 'no model'}{mode}"
    if row["pass_at_1"] is None:
        return f"{who}: none of {row['items']:,} items has a sample that could be decided"
    return (
        f"{who}: pass@1 {row['pass_at_1']:.1%} ({level:.0%} interval {row['low']:.1%} to {row['high']:.1%}) of "
        f"{row['answered']:,} of {row['items']:,} items, {row['cut'] or 0.0:.1%} of samples cut"
    )
