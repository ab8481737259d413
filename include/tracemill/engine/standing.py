"""Says what several verdicts on one response come to. The one rule that every step and report uses.

A fail is never outvoted by the pass of another verifier: each that applies must be met. The one exception is a judge
whose verdict names the verifiers that it may overrule (`overrules`, from the recipe): where it passes, their fail or
"could not tell" counts no longer. Of what is left the gravest stands: fail, else unverifiable, else pass. "Could not
tell" is therefore no pass, and a judge that could not tell overrules nobody. See docs/design/verification.md.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

OVERRULED = ("math",)  # by a judge whose verdict does not say: the papers' second opinion on math-verify
COLUMNS = ["generation_id", "verifier", "status", "trust", "overrules"]  # needed; reason, score and detail are carried
_GRAVEST_FIRST = ("fail", "unverifiable", "pass")
_STANDING = pl.Enum(_GRAVEST_FIRST)
_CARRIED = ("verifier", "reason", "score", "detail")


def standing(verdicts: pl.DataFrame | pa.Table) -> pl.DataFrame:
    """One row per judged response, in the order in which they first appear, from a verdict table with COLUMNS.

    `status` is what stands; `verifier`, and `reason`, `score` and `detail` where the table has them, are those of the
    first verdict of that status; `passed_by` joins the names of all that passed with "+", null when none did; `trust`
    is the lowest among the passes. Raises polars' InvalidOperationError for a status that there is not.
    """
    frame = pl.DataFrame(verdicts).with_columns(pl.col("status").cast(_STANDING)).with_row_index("place")
    passed = pl.col("status") == "pass"
    counted = frame.join(_overruled(frame), on=["generation_id", "verifier"], how="left")
    counted = counted.filter(passed | pl.col("overruled").is_null())
    carried = [pl.col(name).sort_by("status", "place").first() for name in _CARRIED if name in frame.columns]
    names = pl.col("verifier").filter(passed)
    low = (passed & (pl.col("trust") == "low")).any()
    return (
        counted.group_by("generation_id")
        .agg(
            pl.col("place").min(),
            pl.col("status").min().cast(pl.String),
            *carried,
            pl.when(names.len() > 0).then(names.unique().sort().str.join("+")).alias("passed_by"),
            pl.when(low)
            .then(pl.lit("low"))
            .otherwise(pl.col("trust").filter(passed).drop_nulls().first())
            .alias("trust"),
        )
        .sort("place")
        .drop("place")
    )


def is_judge(verifier: pl.Expr) -> pl.Expr:
    """Whether a verifier's name is a judge's: `kind:model`, or plainly "judge"."""
    return verifier.str.contains(r":|^judge$")


def _overruled(frame: pl.DataFrame) -> pl.DataFrame:
    """The pairs of response and verifier that a judge's pass overrules, marked by the column `overruled`."""
    default = pl.when(is_judge(pl.col("verifier"))).then(pl.lit(list(OVERRULED)))
    return (
        frame.filter(pl.col("status") == "pass")
        .select("generation_id", pl.coalesce(pl.col("overrules").cast(pl.List(pl.String)), default).alias("verifier"))
        .explode("verifier")
        .drop_nulls("verifier")
        .unique()
        .with_columns(pl.lit(True).alias("overruled"))
    )
