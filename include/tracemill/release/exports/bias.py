"""Counts what a selection does to a set: length, language, category, topic, difficulty and pass rate, before and after.

A filter that keeps what a model solves now and then keeps some lengths, languages and topics more than others. Shares
are of responses; of a set of problems (rlvr), of problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tracemill.engine.step import Inputs
from tracemill.release.exports.facts import Facts
from tracemill.release.markdown import table

BEFORE = "before selection"
ATTRIBUTES = ("length", "language", "category", "topic", "difficulty", "pass rate")
_LENGTHS = [1024, 4096, 8192, 16384]  # tokens of a response
_NAMES = ["under 1k tokens", "1k to 4k", "4k to 8k", "8k to 16k", "16k and more"]
_RATES = [0.0, 0.25, 0.5, 0.75, 0.999999]
_RATE_NAMES = ["0", "up to 0.25", "0.25 to 0.5", "0.5 to 0.75", "0.75 to 1", "1"]


class Census:
    """Counts by set, attribute and value; `before` counts every response that was scored."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, attributes: pl.DataFrame, facts: Facts, sets: Mapping[str, pl.DataFrame]) -> None:
        """Count the rows of one shard; `attributes` are those of `attributes_of`."""
        scored = facts.responses.filter(pl.col("passed").is_not_null()).select("problem_id", "generation_id")
        for name, members in {BEFORE: scored, **sets}.items():
            self._parts.append(_counted(attributes, members, name))
        if len(self._parts) > 1000:
            self._parts = [self._added()]

    def report(self, name: str, control: str | None) -> str:
        """A table of shares: before selection, in set `name`, and in the control where there is one."""
        columns = [BEFORE, name, *([control] if control and control != name else [])]
        counted = self._added()
        wide = counted.filter(pl.col("set").is_in(columns)).pivot("set", index=["attribute", "value"], values="rows")
        wide = wide.with_columns(pl.lit(0).alias(one) for one in columns if one not in wide.columns)
        whole = {one: max(1, counted.filter(set=one, attribute="category")["rows"].sum()) for one in columns}
        rows = [
            (row["attribute"], row["value"], *(f"{(row[one] or 0) / whole[one]:.1%}" for one in columns))
            for row in wide.to_dicts()
        ]
        return table(("attribute", "value", *columns), sorted(rows, key=_order))

    def _added(self) -> pl.DataFrame:
        every = pl.concat(self._parts) if self._parts else pl.DataFrame(schema=_SCHEMA)
        return every.group_by("set", "attribute", "value").agg(pl.col("rows").sum())


_SCHEMA = {"set": pl.String, "attribute": pl.String, "value": pl.String, "rows": pl.Int64}


def _order(row: Sequence[str]) -> tuple[int, int, str]:
    ordered = [*_NAMES, *_RATE_NAMES]
    return ATTRIBUTES.index(row[0]), ordered.index(row[1]) if row[1] in ordered else len(ordered), row[1]


def _counted(attributes: pl.DataFrame, members: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of a set by attribute and value; a member without a response is looked up by its problem."""
    responses = members.filter(pl.col("generation_id").is_not_null()).select("generation_id")
    problems = members.filter(pl.col("generation_id").is_null()).select("problem_id")
    by_problem = attributes.unique("problem_id", keep="first", maintain_order=True)
    found = pl.concat(
        [
            responses.join(attributes, on="generation_id", how="inner").select(ATTRIBUTES),
            problems.join(by_problem, on="problem_id", how="inner").select(ATTRIBUTES),
        ]
    )
    long = found.unpivot(on=list(ATTRIBUTES), variable_name="attribute", value_name="value")
    counted = long.group_by("attribute", "value").agg(pl.len().cast(pl.Int64).alias("rows"))
    return counted.with_columns(pl.lit(name).alias("set")).select(list(_SCHEMA))


def attributes_of(inputs: Inputs, shard: int, facts: Facts) -> pl.DataFrame:
    """problem_id, generation_id and ATTRIBUTES of every response of a shard; what nobody said is "not known"."""
    tokens = pl.DataFrame(inputs.table("generations", ["id", "completion_tokens"], shard))
    problems = pl.DataFrame(inputs.table("problems", ["id", "category", "difficulty"], shard)).rename(
        {"id": "problem_id"}
    )
    labels = _last(inputs, "labels", ["problem_id", "language", "difficulty"], shard)
    annotations = _last(inputs, "annotations", ["problem_id", "topic", "difficulty"], shard)
    rates = facts.grades.select("problem_id", "teacher", "mode", "pass_rate")
    rows = facts.responses.select("problem_id", "generation_id", "teacher", "mode", scored="category")
    for other, on in ((problems, "problem_id"), (labels, "problem_id"), (annotations, "problem_id")):
        rows = rows.join(other, on=on, how="left", maintain_order="left", suffix=f"_{other.columns[1]}")
    rows = rows.join(tokens.rename({"id": "generation_id"}), on="generation_id", how="left", maintain_order="left")
    rows = rows.join(rates, on=["problem_id", "teacher", "mode"], how="left", maintain_order="left")
    difficulties = [name for name in rows.columns if name.startswith("difficulty")]
    known = {
        "length": pl.col("completion_tokens").cut(_LENGTHS, labels=_NAMES, left_closed=True).cast(pl.String),
        "language": pl.col("language"),
        "category": pl.coalesce("scored", "category"),
        "topic": pl.col("topic"),
        "difficulty": pl.coalesce(*reversed(difficulties)),
        "pass rate": pl.col("pass_rate").cut(_RATES, labels=_RATE_NAMES).cast(pl.String),
    }
    return rows.select(
        "problem_id", "generation_id", *(told.fill_null("not known").alias(name) for name, told in known.items())
    )


def _last(inputs: Inputs, name: str, columns: list[str], shard: int) -> pl.DataFrame:
    """Of each problem the last value of each column that is not null."""
    rows = pl.DataFrame(inputs.table(name, columns, shard))
    return rows.group_by("problem_id", maintain_order=True).agg(pl.col(*columns[1:]).drop_nulls().last())
