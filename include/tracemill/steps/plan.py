"""Decides which slice of which source is which shard, so that a shard number, once given, keeps its meaning.

Planning again over grown sources keeps every slice that was planned before, and its number; new rows get new numbers
and only they follow a changed `rows_per_shard`. A plan depends on the plan before it, and its fingerprint says which.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from tracemill.errors import SourceError
from tracemill.resources import Resources
from tracemill.shards import Store
from tracemill.sources import AnySource
from tracemill.sources.base import Slice
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.tables import columns_of

PLAN = "plan"
AFTER = "the plan before"


class Plan(Step):
    """One row of table `plan` per shard, in shard order. A shard holds rows of one file only."""

    kind: Literal["plan"]
    sources: tuple[AnySource, ...]
    rows_per_shard: int

    version: ClassVar[int] = 2
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Literal["row"]] = "row"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = (PLAN,)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """What each source holds now, and the plan that this one went on from (unless nothing changed since)."""
        states = {source.name: source.state(resources) for source in self.sources}
        last = _last_plan(inputs.store)
        after = None if last is None else last.after if last.states == states else last.fingerprint
        return states if after is None else {**states, AFTER: after}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Cut every source. Raises SourceError for one that is missing, empty, of another schema, or has shrunk."""
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise SourceError(f"source names must differ; the recipe has {', '.join(names)}")
        earlier = [part for part in planned(inputs.store) if part.source in names]
        fresh: list[Slice] = []
        for source in self.sources:
            known = [part for part in earlier if part.source == source.name]
            slices = source.plan(resources, self.rows_per_shard, known)
            _refuse_shrunk(source.name, known, slices)
            fresh += slices
        ordered = _in_order(fresh, earlier)
        material = self.material(resources, inputs)
        recorded = [json.dumps({"state": material[p.source], "after": material.get(AFTER)}) for p in ordered]
        ids = [f"{part.source}/{part.file}:{part.start}-{part.stop}" for part in ordered]
        return Output(ledger=ledger_rows("row", ids, detail=recorded), tables={PLAN: _table(ordered)})


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
    return [Slice.model_validate({name: row[name] for name in Slice.model_fields}) for row in rows]


def _in_order(fresh: list[Slice], earlier: list[Slice]) -> list[Slice]:
    by_place = {(part.source, part.file, part.start): part for part in fresh}
    kept = [by_place.pop(place) for part in earlier if (place := (part.source, part.file, part.start)) in by_place]
    return kept + list(by_place.values())


def _refuse_shrunk(name: str, earlier: list[Slice], now: list[Slice]) -> None:
    before, after = (sum(part.stop - part.start for part in parts) for parts in (earlier, now))
    if after < before:
        raise SourceError(
            f"source {name!r} has {after} rows now and had {before} when this store was planned: rows would vanish "
            "from the release. Restore the source, or start a new release root"
        )


def _table(slices: list[Slice]) -> pa.Table:
    rows = [{"index": index, **part.model_dump()} for index, part in enumerate(slices)]
    return pa.Table.from_pylist(rows, schema=columns_of(PLAN))
