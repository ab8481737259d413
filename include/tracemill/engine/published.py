"""Sets our verdicts beside those that sources published: what agreement is counted on, in a report and on a card.

Where a source publishes no verdict and the recipe has the `direct` verifier run the benchmark's own procedure, that
verdict stands for the published one.
"""

from __future__ import annotations

import polars as pl

KNOWN = ["id", "problem_id", "source", "source_verdict"]
OURS = ["generation_id", "verifier", "status", "reason", "trust", "overrules"]
YARDSTICK = "direct"
COUNTS = (
    pl.len().alias("n"),
    (pl.col("known") == (pl.col("status") == "pass"))
    .filter(pl.col("status").is_in(["pass", "fail"]))
    .sum()
    .alias("agree"),
    (pl.col("status") == "unverifiable").sum().alias("unverifiable"),
)


def against_published(generations: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row for each response with a published verdict and verdict of ours; nulls where we have none.

    `generations` have the columns KNOWN, `verdicts` OURS. `known` is the published verdict.
    """
    direct = verdicts.filter(pl.col("verifier") == YARDSTICK)
    ours = verdicts.filter(pl.col("verifier") != YARDSTICK)
    measured = direct.select(pl.col("generation_id").alias("id"), (pl.col("status") == "pass").alias("measured"))
    known = generations.join(measured, on="id", how="left")
    known = known.with_columns(pl.coalesce("source_verdict", "measured").alias("known"))
    known = known.filter(pl.col("known").is_not_null())
    return known.join(ours, left_on="id", right_on="generation_id", how="left").select(
        "source",
        pl.col("id").alias("generation_id"),
        "problem_id",
        "known",
        "verifier",
        "status",
        "reason",
        "trust",
        "overrules",
    )
