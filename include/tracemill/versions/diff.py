"""Tells what a version added and removed, id by id, and which decision removed it."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tracemill.engine.identities import in_todays_ids
from tracemill.engine.objects import scratch_folder, store_io
from tracemill.engine.runner import shards_of
from tracemill.engine.store import Store, StoredFile
from tracemill.recipe import Recipe

GONE = "not_in_source"  # no step knows the row any more: its source changed it
# One row per response. `step`, `reason` and `detail` are the ledger's; null for what was added.
CHANGES = pa.schema(
    [
        ("change", pa.string()),
        ("problem_id", pa.string()),
        ("generation_id", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
_IDS = ["problem_id", "generation_id"]


class Totals(BaseModel):
    """How many responses, and how many problems as a whole, were added and removed; `reasons` counts the removed."""

    model_config = ConfigDict(frozen=True)
    added: int
    removed: int
    added_problems: int
    removed_problems: int
    reasons: dict[str, int]


def changes_between(recipe: Recipe, store: Store, before: tuple[int, StoredFile] | None, now: StoredFile) -> pa.Table:
    """The table CHANGES between the metadata of two releases; sorted. Reads ledgers only when something was removed.

    `before`: a version's number and metadata; ids of an older store format are compared by what they are called today.
    """
    new = store.get_table(now, _IDS)
    old = in_todays_ids(store, before[0], store.get_table(before[1], _IDS), new) if before else new.slice(0, 0)
    added = _lacking(new, old)
    removed = _lacking(old, new)
    parts = [_changes("added", added, {}), _changes("removed", removed, _causes(recipe, store, removed))]
    order = [(name, "ascending") for name in ("change", *_IDS)]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def totals(changes: pa.Table) -> Totals:
    """The counts of a table CHANGES. A problem that has responses on both sides was neither added nor removed."""
    problems = {name: set(_of(changes, name)["problem_id"].to_pylist()) for name in ("added", "removed")}
    reasons = _of(changes, "removed").group_by("reason").aggregate([([], "count_all")]).sort_by("reason").to_pylist()
    return Totals(
        added=_of(changes, "added").num_rows,
        removed=_of(changes, "removed").num_rows,
        added_problems=len(problems["added"] - problems["removed"]),
        removed_problems=len(problems["removed"] - problems["added"]),
        reasons={row["reason"]: row["count_all"] for row in reasons},
    )


def store_changes(store: Store, changes: pa.Table, folder: str) -> StoredFile:
    """Write the table below `folder`, named by its content."""
    with scratch_folder("a version's changes") as scratch:
        local = scratch / "changes.parquet"
        with store_io("cannot write a scratch file for a version's changes"):
            pq.write_table(changes, local, compression="zstd", write_page_checksum=True)
        stored = store.put_content(local, f"{folder}/changes", ".parquet")
    return stored.model_copy(update={"rows": changes.num_rows})


def _of(changes: pa.Table, change: str) -> pa.Table:
    return changes.filter(pc.equal(changes["change"], change))


def _lacking(rows: pa.Table, others: pa.Table) -> pa.Table:
    known = others["generation_id"].combine_chunks()
    return rows.filter(pc.invert(pc.is_in(rows["generation_id"], value_set=known)))


Cause = tuple[str | None, str | None, str | None]  # step, reason, detail


def _changes(change: str, rows: pa.Table, causes: dict[str, Cause]) -> pa.Table:
    unexplained: Cause = (None, None, None) if change == "added" else (None, GONE, None)
    pairs = list(zip(*(rows[name].to_pylist() for name in _IDS), strict=True))
    found = [causes.get(generation) or causes.get(problem) or unexplained for problem, generation in pairs]
    columns = [[change] * len(pairs), *([pair[k] for pair in pairs] for k in (0, 1)), *zip(*found, strict=True)]
    return (
        pa.table([pa.array(c, f.type) for c, f in zip(columns, CHANGES, strict=True)], schema=CHANGES)
        if pairs
        else (CHANGES.empty_table())
    )


def _causes(recipe: Recipe, store: Store, removed: pa.Table) -> dict[str, Cause]:
    """By id of a response or problem: the first step, in recipe order, whose ledger turned it away."""
    causes: dict[str, Cause] = {}
    if removed.num_rows == 0:
        return causes
    wanted = pa.concat_arrays([removed[name].combine_chunks() for name in _IDS])
    for step, ledger in _ledgers(recipe, store):
        away = pc.and_(pc.not_equal(ledger["bucket"], "kept"), pc.is_in(ledger["id"], value_set=wanted))
        for row in ledger.filter(away).to_pylist():
            causes.setdefault(row["id"], (step, row["reason"], row["detail"]))
    return causes


def _ledgers(recipe: Recipe, store: Store) -> Iterator[tuple[str, pa.Table]]:
    """The ledgers of all steps that decide about problems and responses, shard by shard; the release's own last."""
    for name, step in recipe.pipeline().items():
        if step.unit == "row":
            continue
        for shard in shards_of(step, store):
            manifest = store.manifest(name, shard)
            if manifest is not None and "ledger" in manifest.tables:
                yield name, store.get_table(manifest.tables["ledger"], ["id", "bucket", "reason", "detail"])
