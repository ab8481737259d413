"""Labels every problem with its language and length, and with what its source says of category and difficulty."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of
from tracemill.text.language import language, tokens, words


class Label(Step):
    """One row of `labels` per living problem; turns nothing away. `language` is "zh", "en" or "other"; `tokens` is an
    estimate (see text.language). Paper 2503.19633, section 3.5, labels language and length likewise.
    """

    kind: Literal["label"]

    version: ClassVar[int] = 3
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("labels",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """All problems of the shard at once."""
        alive = inputs.alive("problem")
        columns = ["id", "prompt", "category", "difficulty"]
        problems = pl.from_arrow(inputs.table("problems", columns))
        assert isinstance(problems, pl.DataFrame)
        kept = pl.DataFrame({"id": alive}).join(problems, on="id", how="left", maintain_order="left")
        labels = kept.select(
            pl.col("id").alias("problem_id"),
            language(pl.col("prompt")).alias("language"),
            words(pl.col("prompt")).alias("words"),
            tokens(pl.col("prompt")).alias("tokens"),
            "category",
            "difficulty",
        )
        table = labels.to_arrow().cast(columns_of("labels"))
        return Output(ledger=ledger_rows("problem", alive.to_pylist()), tables={"labels": pa.table(table)})
