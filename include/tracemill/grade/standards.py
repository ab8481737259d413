"""Says for every living problem of a shard by which rule its responses are scored and what a pass must exceed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow.compute as pc

from tracemill.engine.categories import named
from tracemill.engine.step import Inputs
from tracemill.grade.categories import Rule, standard


def standards(inputs: Inputs, rules: Mapping[str, Rule], thresholds: Mapping[str, float]) -> pl.DataFrame:
    """id, category, rule and threshold of the living problems, in stored order.

    `rules` and `thresholds` are by category, in any spelling.
    """
    rows = inputs.table("problems", ["id", "category", "test_case", "reference_answer", "constraints"])
    rows = rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("problem")))
    for name in ("test_case", "reference_answer", "constraints"):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pc.not_equal(pc.fill_null(rows[name], ""), ""))
    frame = pl.DataFrame(rows).rename({"category": "given"}).with_columns(carries=_carries())
    own = {named(category): rule for category, rule in rules.items()}
    above = {named(category): share for category, share in thresholds.items()}
    kinds = frame.select("given", "carries").unique(maintain_order=True)
    found = [standard(given, carries, own, above) for given, carries in kinds.iter_rows()]
    schema = {"category": pl.String, "rule": pl.String, "threshold": pl.Float64}
    kinds = kinds.hstack(pl.DataFrame(found, schema=schema, orient="row"))
    joined = frame.join(kinds, on=["given", "carries"], how="left", nulls_equal=True, maintain_order="left")
    return joined.select("id", "category", "rule", "threshold")


def _carries() -> pl.Expr:
    """The rule of what the problem carries; the verifiers apply in the same order (tests before a reference)."""
    return (
        pl.when("test_case")
        .then(pl.lit("code"))
        .when("reference_answer")
        .then(pl.lit("math"))
        .when("constraints")
        .then(pl.lit("instruction"))
        .otherwise(pl.lit("reward"))
    )
