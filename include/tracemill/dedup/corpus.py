"""Holds what dedup needs of all problems, best first: a few hundred bytes a row at most, whatever the texts weigh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tracemill.dedup.incremental import METHODS, NOTHING, Decided
from tracemill.dedup.minhash import BANDS
from tracemill.dedup.simhash import BITS_WORDS, bits_of
from tracemill.engine.ids import DIFFICULTIES
from tracemill.engine.packed import unpacked
from tracemill.engine.step import Inputs
from tracemill.errors import RecipeError
from tracemill.text.jit import F32, I32, I64, U32, U64

Columns = dict[str, NDArray[Any]]
KEPT = 0
DROPPED = 1
NEW = 2


@dataclass(frozen=True)
class Corpus:
    """The living problems of all shards in order of priority, so that a smaller index is the better row.

    First the `anchors` rows that were kept before, then, up to row `fixed`, those that were dropped before (in `target`
    the row each was dropped for, in `method` how, see living.METHODS, in `similarity` how similar), then the new ones.
    `rows` is the place in its shard's `signatures` table; `rank` the order without regard to what was decided before;
    `places` where the row stands in the living index (tracemill.dedup.index). `near`: the pairs of an old
    and a new row that their vectors may bring together; None when nobody has looked yet. `bands` are in
    another order, for they are large: row k's are `bands[order[k]]`.
    """

    ids: NDArray[np.bytes_]
    keys: NDArray[np.bytes_]
    guards: U64
    shards: I32
    rows: I32
    rank: I64
    anchors: int
    fixed: int
    target: I64
    method: NDArray[np.int8]
    similarity: F32
    places: I64
    bands: U32
    order: I64
    near: I64 | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def marks(self, rows: I64) -> U32:
        """The marks of the MinHash bands of those rows, see minhash.band_marks."""
        return self.bands[self.order[rows]]


def read_columns(inputs: Inputs, shards: Iterable[int], decided: Decided = NOTHING) -> Columns:
    """What dedup must know of every living problem of those shards, as columns; `place` counts them.

    Raises RecipeError when the shards were signed with different embedders.
    """
    columns = joined([part for shard in shards for part in _shard(inputs, shard, decided)])
    return {**columns, "place": np.arange(len(columns["id"]))}


def joined(parts: Sequence[Columns]) -> Columns:
    """The parts one after the other. Raises RecipeError when they are of different embedders."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else dict(_NOTHING)
    if len(spaces := np.unique(columns["embedder"])) > 1:
        raise RecipeError(
            f"shards were signed with different embedders ({spaces.tolist()}): run step sign for all shards again"
        )
    return columns


def arranged(columns: Columns) -> Corpus:
    """The problems, ranked: has a reference answer or tests, harder, source rank, id, shard."""
    state = columns["state"]
    state[(state == DROPPED) & ~np.isin(columns["target"], columns["id"][state == KEPT])] = NEW
    rank = np.empty(len(state), np.int64)
    rank[np.lexsort([columns["shard"], columns["id"], columns["priority"]])] = np.arange(len(state))
    order = np.lexsort([rank, state])
    anchors, fixed = np.searchsorted(state[order], [DROPPED, NEW]).tolist()
    old = order[anchors:fixed]
    return Corpus(
        ids=columns["id"][order],
        keys=columns["key"][order],
        guards=columns["guard"][order],
        shards=columns["shard"][order],
        rows=columns["row"][order],
        rank=rank[order],
        anchors=anchors,
        fixed=fixed,
        target=_places(columns["target"][old], columns["id"][order[:anchors]]),
        method=columns["method"][old],
        similarity=columns["similarity"][old],
        places=columns["place"][order],
        bands=columns["bands"],
        order=order,
    )


def _places(wanted: NDArray[np.bytes_], ids: NDArray[np.bytes_]) -> I64:
    """Where each wanted id stands among `ids`, which all differ."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids[order], wanted)] if len(ids) else np.zeros(0, np.int64)


_NOTHING: Columns = {
    "id": np.zeros(0, "S25"), "key": np.zeros(0, "S32"), "guard": np.zeros(0, np.uint64),
    "embedder": np.zeros(0, "S16"), "shard": np.zeros(0, np.int32), "row": np.zeros(0, np.int32),
    "priority": np.zeros(0, np.int64), "bands": np.zeros((0, BANDS), np.uint32),
    "bits": np.zeros((0, BITS_WORDS), np.uint64),
    "state": np.zeros(0, np.int8), "target": np.zeros(0, "S25"), "method": np.zeros(0, np.int8),
    "similarity": np.zeros(0, np.float32),
}  # fmt: skip


def _shard(inputs: Inputs, shard: int, decided: Decided) -> Iterator[Columns]:
    wanted = ["problem_id", "exact_key", "guard", "embedder", "bands", "embedding"]
    signed = inputs.table("signatures", wanted, shard)
    rows = np.flatnonzero(pc.is_in(signed["problem_id"], value_set=inputs.alive("problem", shard)).to_numpy())
    if not len(rows):
        return
    ids = signed["problem_id"].take(rows)
    yield {
        "id": np.array(ids.to_pylist(), "S25"),
        "key": np.array(signed["exact_key"].take(rows).to_pylist(), "S32"),
        "guard": signed["guard"].take(rows).to_numpy(),
        "embedder": np.array(signed["embedder"].take(rows).to_pylist(), "S16"),
        "shard": np.full(len(rows), shard, np.int32),
        "row": rows.astype(np.int32),
        "bands": unpacked(signed["bands"].take(rows), np.uint32),
        "bits": bits_of(unpacked(signed["embedding"].take(rows), np.float16)),
        **_priority(inputs, shard, ids),
        **_earlier(ids, shard, decided),
    }


def _earlier(ids: pa.ChunkedArray, shard: int, decided: Decided) -> Columns:
    """What was decided about the rows of a shard before."""
    dropped = decided.dropped(shard)
    found = dropped.take(pc.index_in(ids, value_set=dropped["problem_id"]))
    was_dropped = pc.is_valid(found["problem_id"]).to_numpy()
    settled = np.where(decided.kept(shard, ids), KEPT, NEW)
    return {
        "state": np.where(was_dropped, DROPPED, settled).astype(np.int8),
        "target": np.array(pc.fill_null(found["duplicate_of"], "").to_pylist(), "S25"),
        "method": pc.fill_null(pc.index_in(found["method"], value_set=pa.array(METHODS)), 0).to_numpy().astype(np.int8),
        "similarity": pc.fill_null(found["similarity"], 0).to_numpy(),
    }


def _priority(inputs: Inputs, shard: int, ids: pa.ChunkedArray) -> Columns:
    parts = [
        pa.table({
            "id": batch["id"],
            "bare": pc.and_(pc.is_null(batch["reference_answer"]), pc.is_null(batch["test_case"])),
            "difficulty": batch["difficulty"],
            "rank": batch["source_rank"],
        })
        for batch in inputs.batches(
            "problems", ["id", "reference_answer", "test_case", "difficulty", "source_rank"], shard
        )
    ]  # fmt: skip
    problems = pa.concat_tables(parts)
    problems = problems.take(pc.index_in(ids, value_set=problems["id"]))
    labels = inputs.table("labels", ["problem_id", "difficulty"], shard)
    labelled = labels["difficulty"].take(pc.index_in(ids, value_set=labels["problem_id"]))
    level = pc.index_in(pc.coalesce(labelled, problems["difficulty"]), value_set=pa.array(DIFFICULTIES))
    bare = problems["bare"].to_numpy().astype(np.int64)
    easiness = -pc.fill_null(level, -1).to_numpy().astype(np.int64)
    rank = pc.fill_null(problems["rank"], 0).to_numpy().astype(np.int64)
    return {"priority": (bare << 48) + (easiness << 40) + rank}
