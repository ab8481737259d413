"""Reads which step turned a row of a shard away, and why."""

from __future__ import annotations

import polars as pl

from tracemill.engine.ids import Unit
from tracemill.engine.step import Inputs


def turned_away(inputs: Inputs, unit: Unit) -> pl.DataFrame:
    """One row a problem or response that a step did not keep: `id`, the first such `step`, `reason` ("" for none)."""
    parts = [pl.DataFrame(schema={"id": pl.String, "step": pl.String, "reason": pl.String})]
    for manifest in inputs.sealed.get(inputs.index, ()):
        if manifest.unit == unit and "ledger" in manifest.tables:
            ledger = pl.DataFrame(inputs.store.get_table(manifest.tables["ledger"], ["id", "bucket", "reason"]))
            gone = ledger.filter(pl.col("bucket") != "kept")
            parts.append(gone.select("id", pl.lit(manifest.step).alias("step"), pl.col("reason").fill_null("")))
    return pl.concat(parts).unique("id", keep="first", maintain_order=True)
