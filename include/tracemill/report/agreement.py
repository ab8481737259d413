"""Counts how often our verdicts agree with those that the sources published, per source and verifier.

Every response with a published verdict counts in `n`, also one that an earlier step turned away and one that has no
verdict of ours. `agree`: we said pass where the source said right, or fail where it said wrong. `unverifiable` never
agrees. Several verdicts on one response count as what they come to together (`engine/standing.py`). Where a source
publishes no verdict and the recipe has the `direct` verifier run the benchmark's own procedure, that verdict stands for
the published one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import polars as pl
import pyarrow as pa

from tracemill.engine.published import COUNTS, KNOWN, OURS, against_published
from tracemill.engine.runner import shard_count
from tracemill.engine.standing import standing
from tracemill.engine.store import Store
from tracemill.engine.tables import empty
from tracemill.recipe import Recipe

_PLACED = ("source", "generation_id", "problem_id")


class Counts(TypedDict):
    """Responses with a published verdict, how many of ours agree, and how many we could not verify."""

    n: int
    agree: int
    unverifiable: int


@dataclass(frozen=True)
class VerifierCounts:
    """The same for one source and verifier; `verifier` is None for responses without a verdict of ours.

    `low_trust`: passes of a run that program and tests shared.
    """

    source: str
    verifier: str | None
    n: int
    agree: int
    unverifiable: int
    low_trust: int = 0


@dataclass(frozen=True)
class Disagreement:
    """One response on which we and its source do not agree, with what we said; `known` is the published verdict."""

    source: str
    generation_id: str
    problem_id: str
    shard: int
    known: bool
    verifier: str | None
    status: str | None
    reason: str | None


def agreement(recipe: Recipe, store: Store) -> dict[str, Counts]:
    """The counts per source, over all sealed shards. A source without published verdicts is not listed."""
    compared = _compared(recipe, store)
    judged = standing(compared.filter(pl.col("verifier").is_not_null()).with_columns(_response()))
    known = compared.with_columns(_response()).unique("generation_id", maintain_order=True)
    together = known.drop("status").join(judged.select("generation_id", "status"), on="generation_id", how="left")
    rows = together.group_by("source").agg(*COUNTS).sort("source")
    return {source: Counts(n=n, agree=agree, unverifiable=unsure) for source, n, agree, unsure in rows.iter_rows()}


def by_verifier(recipe: Recipe, store: Store) -> list[VerifierCounts]:
    """The counts per source and verifier, in that order."""
    low = ((pl.col("status") == "pass") & (pl.col("trust") == "low")).sum().alias("low_trust")
    rows = _compared(recipe, store).group_by("source", "verifier").agg(*COUNTS, low).sort("source", "verifier")
    return [VerifierCounts(**row) for row in rows.iter_rows(named=True)]


def disagreements(recipe: Recipe, store: Store) -> Iterator[Disagreement]:
    """Every judged response that does not agree, ordered by source and id, to be looked into with `tracemill why`."""
    found = _compared(recipe, store).drop("trust", "overrules")
    agrees = pl.col("status").is_in(["pass", "fail"]) & (pl.col("known") == (pl.col("status") == "pass"))
    for row in found.filter(~agrees.fill_null(False)).sort("source", "generation_id", "verifier").iter_rows(named=True):
        yield Disagreement(**row)


def _response() -> pl.Expr:
    """A response's id and shard as one key."""
    return pl.concat_str("generation_id", "shard", separator=" ").alias("generation_id")


def _compared(recipe: Recipe, store: Store) -> pl.DataFrame:
    """One row per response with a published verdict and verdict of ours; nulls where we have none."""
    return pl.concat([_joined(recipe, store, index) for index in range(shard_count(store))])


def _joined(recipe: Recipe, store: Store, index: int) -> pl.DataFrame:
    generations = _rows(recipe, store, index, "generations", KNOWN)
    rows = against_published(generations, _rows(recipe, store, index, "verdicts", OURS))
    return rows.select(*_PLACED, pl.lit(index, pl.Int32).alias("shard"), pl.exclude(*_PLACED))


def _rows(recipe: Recipe, store: Store, index: int, table: str, columns: list[str]) -> pl.DataFrame:
    """What the map steps of the recipe wrote under that name for one shard, as far as they are sealed."""
    steps = [name for name, step in recipe.pipeline().items() if table in step.writes and step.shape == "map"]
    manifests = [store.manifest(name, index) for name in steps]
    stored = [manifest.tables[table] for manifest in manifests if manifest and table in manifest.tables]
    parts = [store.get_table(each, columns) for each in stored] or [empty(table).select(columns)]
    frame = pl.from_arrow(pa.concat_tables(parts))
    assert isinstance(frame, pl.DataFrame)
    return frame
