"""Says for every living problem of a shard by which rule its responses are scored and what a pass must exceed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow.compute as pc

from tracemill.engine.categories import named
from tracemill.engine.step import Inputs
from tracemill.grade.categories import Rule, standard

# What a problem may carry, in the order in which verifiers apply (tests before a reference), and the rule of each.
_RULE_OF: Mapping[str, Rule] = {"test_case": "code", "reference_answer": "math", "constraints": "instruction"}


def standards(inputs: Inputs, rules: Mapping[str, Rule], thresholds: Mapping[str, float]) -> pl.DataFrame:
    """id, category, rule and threshold of the living problems, in stored order.

    `rules` and `thresholds` are by category, in any spelling.
    """
    rows = inputs.table("problems", ["id", "category", *_RULE_OF])
    rows = rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("problem")))
    for name in _RULE_OF:
        rows = rows.set_column(rows.schema.get_field_index(name), name, pc.not_equal(pc.fill_null(rows[name], ""), ""))
    frame = pl.DataFrame(rows).rename({"category": "given"})
    own = {named(category): rule for category, rule in rules.items()}
    above = {named(category): share for category, share in thresholds.items()}
    kinds = frame.select("given", *_RULE_OF).unique(maintain_order=True)
    found = [standard(given, _carried(flags), own, above) for given, *flags in kinds.iter_rows()]
    schema = {"category": pl.String, "rule": pl.String, "threshold": pl.Float64}
    kinds = kinds.hstack(pl.DataFrame(found, schema=schema, orient="row"))
    joined = frame.join(kinds, on=["given", *_RULE_OF], how="left", nulls_equal=True, maintain_order="left")
    return joined.select("id", "category", "rule", "threshold")


def _carried(flags: Sequence[bool]) -> list[Rule]:
    """The rules of what a problem carries."""
    return [rule for rule, there in zip(_RULE_OF.values(), flags, strict=True) if there]
