"""What a store of an older format held when its migration began: noted once, so that a migration that died goes on
from the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.pipeline import INGEST
from tracemill.engine.store import Manifest, Store
from tracemill.errors import CorruptShard
from tracemill.versions.versions import METADATA, version, version_numbers

NOTE = "migrations/format-1.json"
_SHARD = re.compile(r"(\d{5,})\.json")
_NO_STEPS = {"versions", "revocations", "migrations", "samples"}


class Note(BaseModel):
    """The fingerprints of all shards by step, and the number of the last version (0: none)."""

    model_config = ConfigDict(frozen=True)
    shards: dict[str, dict[int, str]]
    last_version: int


@dataclass(frozen=True)
class OldStore:
    """A store as it was in its older format, whatever has been written to it since."""

    store: Store
    note: Note

    @classmethod
    def noted(cls, store: Store) -> OldStore:
        """What the store held when its migration was first begun. Raises CorruptShard for a damaged note."""
        store.create_bytes(NOTE, _note(store).model_dump_json(indent=1).encode())
        return cls.seen(store)

    @classmethod
    def seen(cls, store: Store) -> OldStore:
        """The same without writing anything."""
        try:
            known = Note.model_validate_json(store.read_bytes(NOTE))
        except FileNotFoundError:
            known = _note(store)
        except ValidationError as error:
            raise CorruptShard(f"{store.root}/{NOTE} is damaged: delete it and migrate again ({error})") from error
        return cls(store, known)

    def manifests(self, table: str) -> Iterator[Manifest]:
        """The old manifests that have that table, step by step."""
        for step, shards in self.note.shards.items():
            for shard, fingerprint in shards.items():
                found = self.store.sealed_earlier(step, shard, fingerprint)
                if found is not None and table in found.tables:
                    yield found

    def frame(self, table: str, columns: list[str], step: str | None = None) -> pl.DataFrame:
        """All rows of a table, of one step or of all, with the shard in `old_shard`."""
        parts = [
            self.store.get_table(manifest.tables[table], columns).append_column(
                "old_shard", pa.array(np.full(manifest.tables[table].rows or 0, manifest.index, np.int32))
            )
            for manifest in self.manifests(table)
            if step is None or manifest.step == step
        ]
        return _frame(pa.concat_tables(parts)) if parts else pl.DataFrame(schema=dict.fromkeys([*columns, "old_shard"]))

    def released(self) -> pl.DataFrame:
        """The (problem_id, generation_id) rows of the last version."""
        columns = ["problem_id", "generation_id"]
        if not self.note.last_version:
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        last = version(self.store, self.note.last_version)
        return _frame(self.store.get_table(last.files[METADATA], columns))

    def kept_by_dedup(self) -> pl.DataFrame:
        """The rows (old_id, old_shard) that dedup had kept, by its index; no rows where nothing was clustered."""
        parts = [self._kept(manifest) for manifest in self.manifests("duplicates")]
        return pl.concat(parts) if parts else pl.DataFrame(schema={"old_id": pl.String, "old_shard": pl.Int32})

    def _kept(self, manifest: Manifest) -> pl.DataFrame:
        names = sorted(name for name in manifest.tables if name.startswith("dedup_index_"))
        if names:
            rows = [_frame(self.store.get_table(manifest.tables[n], ["id", "shard", "target"])) for n in names]
            index = pl.concat(rows).with_row_index("place").filter(pl.col("place") == pl.col("target"))
            return index.select(pl.col("id").cast(pl.String).alias("old_id"), pl.col("shard").alias("old_shard"))
        dropped = _frame(self.store.get_table(manifest.tables["duplicates"], ["problem_id", "shard"]))
        problems = self.frame("problems", ["id"], INGEST)
        kept = problems.join(dropped, left_on=["id", "old_shard"], right_on=["problem_id", "shard"], how="anti")
        return kept.select(pl.col("id").alias("old_id"), "old_shard")


def _note(store: Store) -> Note:
    """Every step that has a sealed shard, also one that the recipe has no more."""
    shards: dict[str, dict[int, str]] = {}
    for step in sorted(name for name in store.names() if "." not in name and name not in _NO_STEPS):
        places = sorted(int(found[1]) for name in store.names(step) if (found := _SHARD.fullmatch(name)))
        manifests = zip(places, store.manifests((step, place) for place in places), strict=True)
        sealed = {place: manifest.fingerprint for place, manifest in manifests if manifest is not None}
        shards |= {step: sealed} if sealed else {}
    return Note(shards=shards, last_version=max(version_numbers(store), default=0))


def _frame(table: pa.Table) -> pl.DataFrame:
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
