"""Decides which slice of which source is which shard, so that a shard number, once given, keeps its meaning.

Planning again over grown sources keeps every slice that was planned before, and its number, also where its file has
another name now; new rows get new numbers and only they follow a changed `rows_per_shard`. A shard whose rows were
removed, which somebody has to accept, stays as an empty one. A plan depends on the plan before it, and its fingerprint
says which.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Store
from tracemill.engine.tables import columns_of
from tracemill.errors import RecipeError, SourceError
from tracemill.ingest.chosen import TABLE as CHOSEN
from tracemill.ingest.chosen import chosen_rows, chosen_table
from tracemill.ingest.source import Slice
from tracemill.ingest.sources import AnySource

PLAN = "plan"
AFTER = "the plan before"


class Plan(Step):
    """One row of table `plan` per shard, in shard order. A shard holds rows of one file only.

    `trial`: take so many rows of all, by hash; the slices that have one are the shards, whatever was planned before.
    """

    kind: Literal["plan"]
    sources: tuple[AnySource, ...]  # the recipe's
    rows_per_shard: int  # rows of a shard at most
    trial: Annotated[int | None, Field(ge=1, exclude_if=lambda rows: rows is None)] = None

    version: ClassVar[int] = 3
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Literal["row"]] = "row"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = (PLAN,)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """What each source holds now, and the plan that this one went on from (unless nothing changed since)."""
        states = {source.name: source.state(resources) for source in self.sources}
        if self.trial is not None:
            return states
        last = _last_plan(inputs.store)
        after = None if last is None else last.after if last.states == states else last.fingerprint
        return states if after is None else {**states, AFTER: after}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Cut every source. Raises SourceError for one that is missing, empty, of another schema, or has shrunk."""
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise SourceError(f"source names must differ; the recipe has {', '.join(names)}")
        if self.trial is not None:
            return self._tried(self.trial, resources, inputs)
        earlier = [part for part in planned(inputs.store) if part.source in names]
        fresh: list[Slice] = []
        removed: dict[str, int] = {}
        for source in self.sources:
            known = [part for part in earlier if part.source == source.name]
            slices = source.plan(resources, self.rows_per_shard, known)
            removed |= _accepted(source.name, known, slices, resources.accept_removed)
            fresh += slices
        ordered = _in_order(fresh, earlier)
        return Output(
            ledger=self._ledger(ordered, resources, inputs),
            tables={PLAN: _table(ordered)},
            made_with=removed and {"removed": removed},
        )

    def _tried(self, rows: int, resources: Resources, inputs: Inputs) -> Output:
        """The shards of a trial, and which of their rows it takes."""
        whole = [part for source in self.sources for part in source.plan(resources, self.rows_per_shard)]
        found = zip(whole, chosen_rows(whole, rows), strict=True)
        taken = [(part, some) for part, some in found if len(some)]
        slices = [part for part, _ in taken]
        tables = {PLAN: _table(slices), CHOSEN: chosen_table([some for _, some in taken])}
        return Output(ledger=self._ledger(slices, resources, inputs), tables=tables)

    def _ledger(self, slices: Sequence[Slice], resources: Resources, inputs: Inputs) -> pa.Table:
        material = self.material(resources, inputs)
        recorded = [json.dumps({"state": material[p.source], "after": material.get(AFTER)}) for p in slices]
        ids = [f"{part.source}/{part.file}:{part.start}-{part.stop}" for part in slices]
        return ledger_rows("row", ids, detail=recorded)


@dataclass(frozen=True)
class _LastPlan:
    """What the store's current plan was made from: each source's state, and the plan before it."""

    fingerprint: str
    states: Mapping[str, str]
    after: str | None


def _last_plan(store: Store) -> _LastPlan | None:
    manifest = store.manifest(PLAN, 0)
    if manifest is None:
        return None
    rows = zip(
        (part.source for part in planned(store)),
        (json.loads(detail) for detail in store.get_table(manifest.tables["ledger"])["detail"].to_pylist()),
        strict=True,
    )
    recorded = dict(rows)
    after = next((detail["after"] for detail in recorded.values()), None)
    return _LastPlan(manifest.fingerprint, {name: detail["state"] for name, detail in recorded.items()}, after)


def planned(store: Store) -> list[Slice]:
    """The slices of the store's current plan, in shard order; [] before the first plan."""
    manifest = store.manifest(PLAN, 0)
    return slices_of(store.get_table(manifest.tables[PLAN])) if manifest else []


def slices_of(table: pa.Table) -> list[Slice]:
    """The rows of a plan table, in shard order."""
    rows = sorted(table.to_pylist(), key=lambda row: row["index"])
    return [Slice.model_validate({name: row.get(name) for name in Slice.model_fields}) for row in rows]


def _in_order(fresh: Sequence[Slice], earlier: Sequence[Slice]) -> list[Slice]:
    """Old places first, each with its number; one that no file has any more is left empty."""
    by_place = {_place(part): part for part in fresh}
    paths = {part.named: part.file for part in fresh}
    kept = [by_place.get(_place(part)) or _emptied(part, paths.get(part.named, part.file)) for part in earlier]
    known = {_place(part) for part in earlier}
    return kept + [part for place, part in by_place.items() if place not in known]


def _place(part: Slice) -> tuple[str, str, int]:
    return part.source, part.named, part.start


def _emptied(part: Slice, file: str) -> Slice:
    return part.model_copy(
        update={"file": file, "stop": part.start, "length": 0, "sha256": hashlib.sha256().hexdigest()}
    )


def removals(given: Sequence[str]) -> dict[str, int]:
    """What a person accepts to lose, as FILE=ROWS each. Raises RecipeError for anything else."""
    found: dict[str, int] = {}
    for one in given:
        file, _, count = one.rpartition("=")
        if not file or not count.isdecimal():
            raise RecipeError(f"{one!r} accepts no removal: write FILE=ROWS as the error says it, such as 'a.jsonl=35'")
        found[file] = int(count)
    return found


def _accepted(name: str, earlier: Sequence[Slice], now: Sequence[Slice], accept: Mapping[str, int]) -> dict[str, int]:
    """The rows that each file has no more, by its name. Raises SourceError unless all were accepted by name and count.

    Files are known by the name they were first planned under; a split of the Hub that an older plan took as one file
    goes on in the files below it.
    """
    before = _counts(earlier)
    after = _counts(now)
    path_of = {part.named: part.file for part in (*earlier, *now)}
    for file in before.keys() - after.keys():
        after[file] = sum(count for other, count in after.items() if other.startswith(f"{file}/"))
    lost = {path_of[file]: before[file] - after[file] for file in before if after[file] < before[file]}
    if all(accept.get(file) == count for file, count in lost.items()):
        return lost
    told = "; ".join(
        f"{path_of[f]} has {after[f]:,} rows now and had {before[f]:,}" for f in before if path_of[f] in lost
    )
    options = " ".join(f"--accept-removed '{file}={count}'" for file, count in lost.items())
    raise SourceError(
        f"source {name!r}: {told} when this store was planned: rows would vanish from the release. Restore them, or, "
        f"if they were removed on purpose, say so: tracemill refresh {options} (field accept_removed of the DAG)"
    )


def _counts(parts: Sequence[Slice]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts[part.named] += part.stop - part.start
    return counts


def _table(slices: list[Slice]) -> pa.Table:
    rows = [{"index": index, **part.model_dump()} for index, part in enumerate(slices)]
    return pa.Table.from_pylist(rows, schema=columns_of(PLAN))
