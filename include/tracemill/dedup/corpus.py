"""Holds what dedup needs of all problems, best first: a few hundred bytes a row at most, whatever the texts weigh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tracemill.dedup.living import METHODS, NOTHING, Decided
from tracemill.dedup.minhash import PERMUTATIONS
from tracemill.errors import RecipeError
from tracemill.steps.base import Inputs
from tracemill.text.kernels import F32, I32, I64, U32, U64
from tracemill.text.ngrams import Grams, ngrams
from tracemill.text.tokens import tokenise
from tracemill.text.vocabulary import LEXICAL

KEPT, DROPPED, NEW = 0, 1, 2
DIFFICULTIES = ("very easy", "easy", "medium", "hard", "very hard")
Half = NDArray[np.float16]


@dataclass(frozen=True)
class Corpus:
    """The living problems of all shards in order of priority, so that a smaller index is the better row.

    First the `anchors` rows that were kept before, then, up to row `fixed`, those that were dropped before (in `target`
    the row each was dropped for, in `method` how, see living.METHODS, in `similarity` how similar), then the new ones.
    `rows` is the place in its shard's `signatures` table; `rank` the order without regard to what was decided before.
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

    def __len__(self) -> int:
        return len(self.ids)


def read_corpus(inputs: Inputs, decided: Decided = NOTHING) -> Corpus:
    """Collect the problems, ranked: has a reference answer or tests, harder, source rank, id, shard.

    Raises RecipeError when the shards were signed with different embedders.
    """
    parts = [part for shard in inputs.shards() for part in _shard(inputs, shard, decided)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else dict(_NOTHING)
    if len(spaces := np.unique(columns["embedder"])) > 1:
        raise RecipeError(
            f"shards were signed with different embedders ({spaces.tolist()}): run step sign for all shards again"
        )
    state = columns["state"]
    state[(state == DROPPED) & ~np.isin(columns["target"], columns["id"][state == KEPT])] = NEW
    ranking = [columns[name] for name in ("shard", "id", "rank", "easiness", "bare")]
    rank = np.empty(len(state), np.int64)
    rank[np.lexsort(ranking)] = np.arange(len(state))
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
    )


def _places(wanted: NDArray[np.bytes_], ids: NDArray[np.bytes_]) -> I64:
    """Where each wanted id stands among `ids`, which all differ."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids[order], wanted)] if len(ids) else np.zeros(0, np.int64)


_NOTHING: dict[str, NDArray[Any]] = {
    "id": np.zeros(0, "S25"), "key": np.zeros(0, "S32"), "guard": np.zeros(0, np.uint64),
    "embedder": np.zeros(0, "S16"), "shard": np.zeros(0, np.int32), "row": np.zeros(0, np.int32),
    "rank": np.zeros(0, np.int32), "easiness": np.zeros(0, np.int8), "bare": np.zeros(0, np.bool_),
    "state": np.zeros(0, np.int8), "target": np.zeros(0, "S25"), "method": np.zeros(0, np.int8),
    "similarity": np.zeros(0, np.float32),
}  # fmt: skip


def _shard(inputs: Inputs, shard: int, decided: Decided) -> Iterator[dict[str, NDArray[Any]]]:
    signed = inputs.table("signatures", ["problem_id", "exact_key", "guard", "embedder"], shard)
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
        **_priority(inputs, shard, ids),
        **_earlier(ids, shard, decided),
    }


def _earlier(ids: pa.ChunkedArray, shard: int, decided: Decided) -> dict[str, NDArray[Any]]:
    """What was decided about the rows of a shard before."""
    dropped = decided.dropped(shard)
    found = dropped.take(pc.index_in(ids, value_set=dropped["problem_id"]))
    was_dropped = pc.is_valid(found["problem_id"]).to_numpy()
    settled = KEPT if shard in decided.shards else NEW
    return {
        "state": np.where(was_dropped, DROPPED, settled).astype(np.int8),
        "target": np.array(pc.fill_null(found["duplicate_of"], "").to_pylist(), "S25"),
        "method": pc.fill_null(pc.index_in(found["method"], value_set=pa.array(METHODS)), 0).to_numpy().astype(np.int8),
        "similarity": pc.fill_null(found["similarity"], 0).to_numpy(),
    }


def _priority(inputs: Inputs, shard: int, ids: pa.ChunkedArray) -> dict[str, NDArray[Any]]:
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
    return {
        "bare": problems["bare"].to_numpy(),
        "easiness": -pc.fill_null(level, -1).to_numpy().astype(np.int8),
        "rank": pc.fill_null(problems["rank"], 0).to_numpy(),
    }


def _by_shard(corpus: Corpus, chosen: I64) -> Iterator[tuple[int, I64]]:
    """The chosen rows, shard by shard: shard and places within `chosen`."""
    order = np.argsort(corpus.shards[chosen], kind="stable")
    shards = corpus.shards[chosen][order]
    cuts = np.flatnonzero(np.diff(shards)) + 1
    for places in np.split(order, cuts):
        if len(places):
            yield int(corpus.shards[chosen[places[0]]]), places


def read_sketches(inputs: Inputs, corpus: Corpus, chosen: I64) -> U32:
    """The MinHash sketches [len(chosen), PERMUTATIONS] of those rows."""
    out = np.empty((len(chosen), PERMUTATIONS), np.uint32)
    for shard, places in _by_shard(corpus, chosen):
        column = (
            inputs.table("signatures", ["minhash"], shard)["minhash"].take(corpus.rows[chosen[places]]).combine_chunks()
        )
        out[places] = np.frombuffer(b"".join(column.to_pylist()), "<u4").reshape(len(places), PERMUTATIONS)
    return out


def read_vectors(inputs: Inputs, corpus: Corpus, chosen: I64) -> Half:
    """The embeddings [len(chosen), dimensions] of those rows, in half precision."""
    out: Half | None = None
    for shard, places in _by_shard(corpus, chosen):
        column = inputs.table("signatures", ["embedding"], shard)["embedding"].take(corpus.rows[chosen[places]])
        block = column.combine_chunks().flatten().to_numpy().reshape(len(places), -1)
        if out is None:
            out = np.empty((len(chosen), block.shape[1]), np.float16)
        out[places] = block
    return np.zeros((0, 1), np.float16) if out is None else out


def read_grams(inputs: Inputs, corpus: Corpus, chosen: I64, n: int) -> Grams:
    """The word n-grams (sorted, distinct) of the texts of those rows, in that order."""
    blocks: list[U64] = []
    lengths, sources = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.int64)
    base = 0
    for shard, places in _by_shard(corpus, chosen):
        problems = inputs.table("problems", ["id", "prompt"], shard)
        wanted = pa.array(corpus.ids[chosen[places]].astype(str))
        texts = problems["prompt"].take(pc.index_in(wanted, value_set=problems["id"]))
        grams = ngrams(tokenise(texts).only(LEXICAL), n)
        blocks.append(grams.hashes)
        lengths[places], sources[places] = np.diff(grams.offsets), grams.offsets[:-1] + base
        base += len(grams.hashes)
    return _reordered(np.concatenate([*blocks, np.zeros(0, np.uint64)]), lengths, sources)


def _reordered(hashes: U64, lengths: I64, sources: I64) -> Grams:
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(sources - offsets[:-1], lengths)
    return Grams(hashes[places], offsets)
