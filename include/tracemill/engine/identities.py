"""Tells what an id of an older store format is called today: the table of both, sealed on the store like any shard.

migrations/format-2/00000.json                   the migration to format 2, its two tables, and the last old version
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import polars as pl
import pyarrow as pa

from tracemill.engine.store import Manifest, Store, StoredFile

STEP = "migrations/format-2"
LAST_VERSION = "last_version"


def migration(store: Store) -> Manifest | None:
    """The migration that this store went through; None for a store that was begun in today's format."""
    return store.manifest(STEP, 0)


def successors(store: Store, identity: str) -> list[str]:
    """What a problem or response of the older format is called today; [] for one that nobody knows."""
    made = migration(store)
    if made is None:
        return []
    tables = [store.get_table(made.tables[name], ["old_id", "new_id"]) for name in ("problem_ids", "generation_ids")]
    found = pl.concat([_frame(table) for table in tables]).filter(pl.col("old_id") == identity)
    return found["new_id"].unique().sort().to_list()


def in_todays_ids(store: Store, version: int, released: pa.Table, now: pa.Table) -> pa.Table:
    """The (problem_id, generation_id) rows of a version by the ids of today.

    A response with several successors is taken for one that `now` has, if there is any: a problem that was one by its
    old id and is two today was neither added nor removed.
    """
    made = migration(store)
    if made is None or version > int(made.settings[LAST_VERSION]):
        return released
    pairs = _frame(store.get_table(made.tables["generation_ids"]))
    there = pl.col("new_id").is_in(_frame(now)["generation_id"].implode())
    best = pairs.with_columns(there.alias("there")).sort(["there", "new_id"], descending=[True, False])
    known = best.unique("old_id", keep="first", maintain_order=True)
    joined = _frame(released).join(known, left_on="generation_id", right_on="old_id", how="left")
    ids = joined.select(
        pl.coalesce("new_problem", "problem_id").alias("problem_id"),
        pl.coalesce("new_id", "generation_id").alias("generation_id"),
    )
    return ids.to_arrow().cast(released.schema)


def former_ids(store: Store, ids: pl.Series) -> pl.Series:
    """What each response was called in the older format (else its own id): what decided ties before decides still."""
    made = migration(store)
    if made is None:
        return ids
    known = _former(store, made.tables["generation_ids"])
    return (
        ids.to_frame("id")
        .join(known, on="id", how="left", maintain_order="left")
        .select(pl.coalesce("old_id", "id"))
        .to_series()
    )


@lru_cache(maxsize=1)
def _former(store: Store, stored: StoredFile) -> pl.DataFrame:
    """By today's id the older one, read once for all shards that a process works on."""
    pairs = _frame(store.get_table(stored, ["old_id", "new_id"])).rename({"new_id": "id"})
    return pairs.sort("old_id").unique("id", keep="first")


def _frame(table: pa.Table) -> pl.DataFrame:
    found: Any = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
