"""What a step is: settings and behaviour in one frozen object, and the two shapes it can have.

map     shard i of its inputs becomes shard i of its outputs
gather  all shards of its inputs become one artefact (index 0)

A step reads tables by name. It gets the rows that every earlier step of the recipe wrote under that name: `generations`
are the existing responses of `ingest` and the new ones of `distill` together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tracemill.engine.ids import Bucket, Unit
from tracemill.engine.resources import Resources
from tracemill.engine.store import Manifest, Store, StoredFile
from tracemill.engine.tables import columns_of, empty, table_named

KEY = {"row": "origin", "problem": "id", "generation": "id"}


@dataclass(frozen=True)
class Inputs:
    """The sealed tables that a step may read. `sealed[k]` lists the manifests that hold shard `k`, in recipe order.

    Map steps see one shard (`index`); gather steps see them all. `whole` are the manifests of gather steps. `previous`
    is what a gather step itself has sealed last, whatever its settings and inputs were then.
    """

    store: Store
    index: int
    sealed: Mapping[int, Sequence[Manifest]]
    whole: Sequence[Manifest]
    shard_count: int
    previous: Manifest | None = None

    def table(self, name: str, columns: list[str] | None = None, shard: int | None = None) -> pa.Table:
        """All rows under that table name in one shard (default: this one), earlier steps first; gathered tables too.

        Ledgers are always the shard's own: a gather step's ledger covers all shards and gates none.
        """
        parts = [self.store.get_table(stored, columns) for stored in self._stored(name, shard)]
        if parts:
            return _with_all(pa.concat_tables(parts, promote_options="default"), name, columns)
        return empty(name).select(columns) if columns else empty(name)

    def batches(
        self, name: str, columns: list[str] | None = None, shard: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The same rows as `table` in the same order, a few at a time: for long texts in bounded memory."""
        for stored in self._stored(name, shard):
            yield from self.store.get_batches(stored, columns)

    def rows(self, name: str, columns: list[str], places: NDArray[np.int64], shard: int) -> pa.Table:
        """Some rows of `table`, by their places in it, in the order given; little else of it is read."""
        stored = self._stored(name, shard)
        ends = np.cumsum([one.rows or 0 for one in stored])
        owner = np.searchsorted(ends, places, side="right")
        order = np.argsort(owner, kind="stable")
        starts = ends - [one.rows or 0 for one in stored]
        parts = [self.store.get_rows(stored[k], places[owner == k] - starts[k], columns) for k in np.unique(owner)]
        return pa.concat_tables(parts).take(np.argsort(order))

    def row_count(self, name: str) -> int:
        """How many rows `table` has in this shard, by the manifests alone."""
        return sum(stored.rows or 0 for stored in self._stored(name, None))

    def paths(self, name: str) -> list[str]:
        """The files of `table` in this shard, for readers of their own; on a store that is on this machine's disk."""
        return [self.store.path(stored.key) for stored in self._stored(name, None)]

    def _stored(self, name: str, shard: int | None) -> list[StoredFile]:
        own = self.sealed.get(self.index if shard is None else shard, ())
        manifests = [*own, *(self.whole if name != "ledger" else ())]
        return [m.tables[name] for m in manifests if name in m.tables]

    def shards(self) -> range:
        """The numbers of all shards."""
        return range(self.shard_count)

    def digests(self, names: Iterable[str]) -> list[list[str | int]]:
        """Step, shard, name and SHA-256 of every table under those names that this step may read."""
        found = [(m, n) for m in self.whole for n in names if n != "ledger"]
        found += [(m, n) for shard in sorted(self.sealed) for m in self.sealed[shard] for n in names]
        return [[m.step, m.index, n, m.tables[n].sha256] for m, n in found if n in m.tables]

    def alive(self, unit: Unit, shard: int | None = None) -> pa.Array:
        """The ids of that unit that no earlier step turned away; a generation also needs its problem to be alive."""
        own = self.sealed.get(self.index if shard is None else shard, ())
        stored = [m.tables["ledger"] for m in own if "ledger" in m.tables and not _turned_nothing_away(m)]
        parts = [self.store.get_table(one, ["id", "unit", "bucket"]) for one in stored]
        ledger = pa.concat_tables([empty("ledger").select(["id", "unit", "bucket"]), *parts])
        if unit == "problem":
            return _without(self.table("problems", ["id"], shard)["id"], _gone(ledger, "problem"))
        table = self.table("generations", ["id", "problem_id"], shard)
        orphaned = pc.is_in(table["problem_id"], value_set=_gone(ledger, "problem"))
        return _without(table.filter(pc.invert(orphaned))["id"], _gone(ledger, "generation"))


def _with_all(table: pa.Table, name: str, columns: list[str] | None) -> pa.Table:
    """The table with the columns that came to be documented after its shards were sealed: null."""
    known = table_named(name).columns
    wanted = columns or (known.names if known else [])
    if known is None or table.column_names == wanted:
        return table
    blank = {n: pa.nulls(table.num_rows, known.field(n).type) for n in wanted if n not in table.column_names}
    return pa.table({n: blank[n] if n in blank else table[n] for n in wanted})


def _turned_nothing_away(manifest: Manifest) -> bool:
    """Whether a ledger need not be read: it is about source rows, or all its rows were kept."""
    counts = manifest.counts
    return counts.entered > 0 and (manifest.unit == "row" or counts.kept == counts.entered)


def _gone(ledger: pa.Table, unit: str) -> pa.Array:
    turned_away = pc.and_(pc.equal(ledger["unit"], unit), pc.not_equal(ledger["bucket"], "kept"))
    return ledger.filter(turned_away)["id"].combine_chunks()


def _without(ids: pa.ChunkedArray, gone: pa.Array) -> pa.Array:
    return ids.filter(pc.invert(pc.is_in(ids, value_set=gone))).combine_chunks()


@dataclass(frozen=True)
class Output:
    """What a step made: tables by name, the ledger of every row that entered, and files (of the release).

    `carried`: tables that a gather step sealed before and that still hold; they are not written again.
    `made_with`: facts for the manifest that decide no row (engine, weights, isolation, cost).
    """

    ledger: pa.Table
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    carried: Mapping[str, StoredFile] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    made_with: Mapping[str, Any] = field(default_factory=dict)


class Step(BaseModel):
    """One stage of a recipe. Subclasses set `kind`, `version`, the class attributes below, and `run`.

    `version` is raised whenever the same settings would give other rows. `unit` is what the ledger counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int]
    shape: ClassVar[Literal["map", "gather"]] = "map"
    unit: ClassVar[Unit]
    reads: ClassVar[tuple[str, ...]]
    writes: ClassVar[tuple[str, ...]]

    def lacks(self, before: Sequence[Step]) -> str | None:
        """What a recipe must say before this step can do anything, as half a sentence; None where nothing is amiss.

        `before`: the steps that stand above it, `plan` and `ingest` apart.
        """
        return None

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """Digests of what the result depends on besides settings and input tables (benchmark files, model weights)."""
        return {}

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The settings that decide the result of this shard, as JSON-like data; by default all of them."""
        return self.model_dump(mode="json")

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """What the result depends on among the tables read; by default all of them, whole."""
        return inputs.digests(self.reads)

    def entering(self, inputs: Inputs) -> pa.ChunkedArray:
        """The ids this step must account for; by default the living rows of its unit, in all its shards."""
        shards = [inputs.index] if self.shape == "map" else list(inputs.shards())
        return pa.chunked_array([inputs.alive(self.unit, shard) for shard in shards], pa.string())

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Do the work for one shard. Bad rows are ledger rows; a failing world is an exception."""
        raise NotImplementedError  # abstract: every kind has its own


def ledger_rows(
    unit: Unit,
    ids: Sequence[str],
    bucket: Bucket | Sequence[Bucket] = "kept",
    reason: str | Sequence[str | None] | None = None,
    score: Sequence[float | None] | float | None = None,
    threshold: Sequence[float | None] | float | None = None,
    detail: Sequence[str | None] | str | None = None,
) -> pa.Table:
    """A ledger table; each argument is one value for all rows or a sequence with one value a row."""

    def column(value: Any, kind: pa.DataType) -> pa.Array:
        many = isinstance(value, Sequence) and not isinstance(value, str)
        return pa.array(value if many else [value] * len(ids), kind)

    schema = columns_of("ledger")
    values = (list(ids), unit, bucket, reason, score, threshold, detail)
    return pa.table([column(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)


def kept_rows(unit: Unit, ids: pa.Array | pa.ChunkedArray) -> pa.Table:
    """A ledger table of rows that are all kept."""
    schema = columns_of("ledger")
    blank = {f.name: pa.nulls(len(ids), f.type) for f in schema}
    same = {name: pa.repeat(pa.scalar(value), len(ids)) for name, value in (("unit", unit), ("bucket", "kept"))}
    return pa.table({**blank, "id": ids, **same}, schema=schema)
