"""Carries over what a store knows by id: lists of revocations, and which rows dedup keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import polars as pl
import pyarrow as pa

from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of
from tracemill.migration.old_store import OldStore
from tracemill.release.revocations import FOLDER, SUFFIX, Revocation, read_list, write_list

MIGRATED = "migrated-from-format-1"


def carry_revocations(store: Store, problems: pa.Table, generations: pa.Table) -> int:
    """Add to each list the successors of what it names; returns how many lines came. Nothing ever leaves a list.

    Every successor of a revoked problem is revoked, also one whose text the benchmark did not have.
    """
    heirs = _by_old(problems)
    responses = _by_old(generations, "new_problem")
    added = 0
    for name in sorted(store.names(FOLDER)):
        if name.endswith(SUFFIX):
            known = read_list(store, name.removesuffix(SUFFIX))
            fresh = _fresh(known, [heir for line in known for heir in _heirs(line, heirs, responses)])
            if fresh:
                write_list(store, name.removesuffix(SUFFIX), [*known, *fresh])
            added += len(fresh)
    return added


def _fresh(known: Sequence[Revocation], heirs: Sequence[Revocation]) -> list[Revocation]:
    """The heirs that the list lacks, each once; one without a response only where its problem has no other line."""
    seen = {(line.problem_id, line.generation_id) for line in known}
    answered = {line.problem_id for line in (*known, *heirs) if line.generation_id}
    fresh: dict[tuple[str, str | None], Revocation] = {}
    for heir in heirs:
        if heir.generation_id or heir.problem_id not in answered:
            fresh.setdefault((heir.problem_id, heir.generation_id), heir)
    return [heir for key, heir in fresh.items() if key not in seen]


def _heirs(
    line: Revocation, heirs: Mapping[str, list[tuple[str, str]]], responses: Mapping[str, list[tuple[str, str]]]
) -> Iterator[Revocation]:
    followed = responses.get(line.generation_id or "", [])
    for _, problem in heirs.get(line.problem_id, ()):
        own: list[str | None] = [response for owner, response in followed if owner == problem]
        for response in own or [None]:
            yield line.model_copy(update={"problem_id": problem, "generation_id": response})


def _by_old(pairs: pa.Table, owner: str = "old_id") -> dict[str, list[tuple[str, str]]]:
    """By old id the pairs of (`owner`, new id), each once."""
    found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for row in pairs.select(list(dict.fromkeys(["old_id", "new_id", owner]))).to_pylist():
        found[row["old_id"]][row[owner], row["new_id"]] = None
    return {old: list(new) for old, new in found.items()}


def carry_dedup(old: OldStore, problems: pa.Table, generations: pa.Table) -> int:
    """Have dedup's next run keep what it kept: the table `anchors` in the place of its last run; returns their number.

    Kept is each successor of a kept row that was released, else the one whose text stood under the old id. All others
    are decided anew: what two old ids wrongly made one, and what only the order of arrival held back.
    """
    anchors = _anchors(old, _frame(problems), _frame(generations))
    for manifest in old.manifests("duplicates"):
        tables = {
            "anchors": anchors,
            "settled": columns_of("settled").empty_table(),
            "duplicates": columns_of("duplicates").empty_table(),
            "held_back": _held_back(old, manifest, _frame(problems)),
        }
        made = Manifest(
            step=manifest.step,
            index=0,
            fingerprint=MIGRATED,
            unit="problem",
            counts=Counts(entered=anchors.num_rows, kept=anchors.num_rows, rejected={}, quarantined={}),
            tables={name: old.store.put_table(table, manifest.step, 0, name) for name, table in tables.items()},
        )
        old.store.seal(made)
    return int(anchors.num_rows)


def _anchors(old: OldStore, problems: pl.DataFrame, generations: pl.DataFrame) -> pa.Table:
    alive = generations.join(old.released(), left_on="old_id", right_on="generation_id", how="semi")
    released = pl.col("new_id").is_in(alive["new_problem"].implode())
    kept = problems.join(old.kept_by_dedup(), on=["old_id", "old_shard"], how="semi").with_columns(
        released.alias("released"), released.any().over("old_id", "old_shard").alias("any_released")
    )
    chosen = kept.filter(pl.col("released") | (~pl.col("any_released") & pl.col("first")))
    rows = chosen.select(pl.col("new_id").alias("problem_id"), pl.col("new_shard").alias("shard"))
    once = rows.sort("shard", "problem_id").unique("problem_id", keep="first", maintain_order=True)
    return once.to_arrow().cast(columns_of("anchors"))


def _held_back(old: OldStore, manifest: Manifest, problems: pl.DataFrame) -> pa.Table:
    """What the order of arrival held back, by the ids of today; the next run of dedup finds it again by itself."""
    first = problems.filter("first").select("old_id", "old_shard", "new_id", "new_shard")
    rows = _frame(old.store.get_table(manifest.tables["held_back"])) if "held_back" in manifest.tables else None
    if rows is None:
        return columns_of("held_back").empty_table()
    for column, shard in (("problem_id", "shard"), ("kept_instead", "kept_shard")):
        joined = rows.join(first, left_on=[column, shard], right_on=["old_id", "old_shard"], how="inner")
        today = joined.with_columns(pl.col("new_id").alias(column), pl.col("new_shard").alias(shard))
        rows = today.select(rows.columns)
    return rows.sort("shard", "problem_id").to_arrow().cast(columns_of("held_back"))


def _frame(table: pa.Table) -> pl.DataFrame:
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
