"""Matches the problems and responses of an older format with those of today.

A problem is known by where it was read (source, file and row), whatever its text became; where that is of no use, by
its text. A response is known by its problem, teacher, number and text, from which its id is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from tracemill.engine.ids import generation_id, problem_id
from tracemill.engine.pipeline import INGEST
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.engine.tables import columns_of
from tracemill.migration.old_store import OldStore
from tracemill.text.think import rebuilt

_PLACE = ["source", "file", "row"]
_TEXT = ["id", "problem_id", "teacher", "sample_index", "style", "raw", "think_content", "answer_content"]
Row = Mapping[str, Any]


def problem_pairs(old: OldStore) -> pa.Table:
    """The table `problem_ids`, after today's ingest has sealed all shards."""
    before = old.frame("provenance", ["problem_id", *_PLACE], INGEST).rename({"problem_id": "old_id"})
    now = _now(old.store, "provenance", ["problem_id", *_PLACE]).rename({"problem_id": "new_id"})
    joined = before.join(now, on=_PLACE, how="inner")
    lowest = pl.col("row") == pl.col("row").min().over("old_id", "old_shard")
    placed = joined.with_columns(lowest.alias("first")).select(columns_of("problem_ids").names)
    lost = before.join(placed, on="old_id", how="anti")["old_id"].unique()
    pairs = pl.concat([placed, _by_text(old, lost)])
    unique = pairs.group_by("old_id", "new_id", "old_shard", "new_shard").agg(pl.col("first").any())
    return _table("problem_ids", unique.sort("old_shard", "old_id", "new_shard", "new_id"))


def _by_text(old: OldStore, lost: pl.Series) -> pl.DataFrame:
    """Pairs for problems whose place is called otherwise today (a split of the Hub that is read as files now)."""
    none = pl.from_arrow(columns_of("problem_ids").empty_table())
    assert isinstance(none, pl.DataFrame)
    if lost.is_empty():
        return none
    problems = old.frame("problems", ["id", "prompt", "messages"], INGEST).filter(pl.col("id").is_in(lost.implode()))
    ids = [problem_id(row["prompt"], row["messages"]) for row in problems.iter_rows(named=True)]
    named = problems.select(pl.col("id").alias("old_id"), "old_shard", pl.Series("new_id", ids, pl.String))
    now = _now(old.store, "problems", ["id"])
    found = named.join(now, left_on="new_id", right_on="id", how="inner").with_columns(pl.lit(True).alias("first"))
    return found.select(none.columns).cast(none.schema)


def generation_pairs(old: OldStore, problems: pa.Table) -> pa.Table:
    """The table `generation_ids`.

    A response of a source follows each successor of its problem that has it today; one that a model was asked for
    follows the text that it was asked with.
    """
    there = set(_now(old.store, "generations", ["id"])["id"].to_list())
    heirs: dict[tuple[str, int], list[tuple[str, bool]]] = {}
    for pair in problems.to_pylist():
        heirs.setdefault((pair["old_id"], pair["old_shard"]), []).append((pair["new_id"], pair["first"]))
    parts = [columns_of("generation_ids").empty_table()]
    for manifest in old.manifests("generations"):
        for batch in old.store.get_batches(manifest.tables["generations"], _TEXT):
            rows = list(_followed(batch.to_pylist(), manifest.index, heirs, there if manifest.step == INGEST else None))
            parts.append(pa.Table.from_pylist(rows, schema=columns_of("generation_ids")))
    found = pl.from_arrow(pa.concat_tables(parts))
    assert isinstance(found, pl.DataFrame)
    return _table("generation_ids", found.unique().sort("old_id", "new_id"))


def _followed(
    rows: list[dict[str, Any]],
    shard: int,
    heirs: Mapping[tuple[str, int], list[tuple[str, bool]]],
    there: set[str] | None,
) -> Iterator[dict[str, str]]:
    for row in rows:
        text = _text(row)
        for problem, first in heirs.get((row["problem_id"], shard), ()):
            identity = generation_id(problem, row["teacher"], row["sample_index"], text)
            if first if there is None else identity in there:
                yield {
                    "old_id": row["id"],
                    "new_id": identity,
                    "old_problem": row["problem_id"],
                    "new_problem": problem,
                }


def _text(row: Row) -> str:
    """The text from which the response's id was made, see `tracemill.ingest.step`."""
    if row["style"] == "parts":
        return f"{row['think_content']}\0{row['answer_content']}"
    raw: str | None = row["raw"]
    return rebuilt(row["style"], row["think_content"], row["answer_content"]) if raw is None else raw


def _now(store: Store, table: str, columns: list[str]) -> pl.DataFrame:
    """What ingest has sealed today, with the shard in `new_shard`."""
    parts = []
    for shard, manifest in enumerate(store.manifests((INGEST, k) for k in range(shard_count(store)))):
        assert manifest is not None, "every shard was ingested before"
        found = pl.from_arrow(store.get_table(manifest.tables[table], columns))
        assert isinstance(found, pl.DataFrame)
        parts.append(found.with_columns(pl.lit(shard, pl.Int32).alias("new_shard")))
    return pl.concat(parts)


def _table(name: str, frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow().select(columns_of(name).names).cast(columns_of(name))
