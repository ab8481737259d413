"""Keeps dedup's decisions when a store grows: a shard that was decided on the same inputs is not decided again.

Its kept rows come before all new ones, so an id that was kept stays kept; new rows are compared with them and with each
other, never old ones among themselves. The index that this needs is what the store holds anyway: the signatures of all
shards, the earlier `duplicates`, and `settled`, which says on what each shard was decided. Where shards were only
added, tracemill.dedup.index stands in for the signatures of the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tracemill.engine.step import Inputs
from tracemill.engine.store import canonical_digest
from tracemill.engine.tables import columns_of, empty

METHODS = ("exact", "fuzzy", "semantic")


@dataclass(frozen=True)
class Decided:
    """What an earlier run decided and is still true: `shards`, and the rows of `duplicates` and `held_back` in them.

    `anchors` are rows of other shards that are kept whatever else is decided there: those of a store that was migrated
    (see tracemill.migration).
    """

    shards: frozenset[int]
    duplicates: pa.Table
    held_back: pa.Table
    anchors: pa.Table = field(default_factory=lambda: empty("anchors"))

    def kept(self, shard: int, ids: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Which of the ids of that shard were kept, unless `dropped` has them."""
        if shard in self.shards:
            return np.ones(len(ids), np.bool_)
        mine = self.anchors.filter(pc.equal(self.anchors["shard"], shard))["problem_id"].combine_chunks()
        return np.asarray(pc.is_in(ids, value_set=mine).to_numpy(zero_copy_only=False), np.bool_)

    def dropped(self, shard: int) -> pa.Table:
        """The rows of that shard that were dropped."""
        numbers = self.duplicates["shard"].to_numpy()
        first, last = np.searchsorted(numbers, [shard, shard + 1])
        return self.duplicates.slice(first, last - first)


NOTHING = Decided(frozenset(), empty("duplicates"), empty("held_back"))


def shard_digests(inputs: Inputs, settings: Mapping[str, Any]) -> dict[int, str]:
    """What each shard is decided on: the settings, its signatures, and who of it is alive."""
    return {
        shard: canonical_digest(
            {
                "settings": settings,
                "tables": [
                    [manifest.step, name, manifest.tables[name].sha256]
                    for manifest in inputs.sealed[shard]
                    for name in ("signatures", "ledger")
                    if name in manifest.tables
                ],
            }
        )
        for shard in inputs.shards()
    }


def settled_table(digests: Mapping[int, str]) -> pa.Table:
    """The table `settled` of these shards."""
    return pa.table([list(digests), list(digests.values())], schema=columns_of("settled"))


def decided(inputs: Inputs, digests: Mapping[int, str]) -> Decided:
    """The decisions of the step's previous run for the shards that have not changed since."""
    tables = inputs.previous.tables if inputs.previous else {}
    if not {"settled", "duplicates", "held_back"} <= set(tables):
        return NOTHING
    shards = frozenset(shard for shard, digest in settled_before(inputs).items() if digests.get(shard) == digest)
    same = pa.array(sorted(shards), pa.int32())
    mine = [inputs.store.get_table(tables[name]) for name in ("duplicates", "held_back")]
    found = [one.filter(pc.is_in(one["shard"], value_set=same)).combine_chunks() for one in mine]
    anchors = inputs.store.get_table(tables["anchors"]) if "anchors" in tables else empty("anchors")
    return Decided(shards, found[0], found[1], anchors)


def settled_before(inputs: Inputs) -> dict[int, str]:
    """By shard, what the step's previous run decided it on."""
    tables = inputs.previous.tables if inputs.previous else {}
    if "settled" not in tables:
        return {}
    before = inputs.store.get_table(tables["settled"])
    return dict(zip(before["shard"].to_pylist(), before["digest"].to_pylist(), strict=True))
