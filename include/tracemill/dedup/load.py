"""Reads what dedup compares, for chosen rows only: vectors, and the n-grams of their texts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tracemill.dedup.corpus import Corpus
from tracemill.engine.packed import unpacked
from tracemill.engine.step import Inputs
from tracemill.text.choices import opened
from tracemill.text.jit import I64, U64
from tracemill.text.ngrams import Grams, ngrams
from tracemill.text.problem_text import normalised_problems
from tracemill.text.tokens import tokenise
from tracemill.text.vocabulary import LEXICAL

Half = NDArray[np.float16]


def by_shard(corpus: Corpus, chosen: I64) -> Iterator[tuple[int, I64]]:
    """The chosen rows, shard by shard: shard and places within `chosen`."""
    order = np.argsort(corpus.shards[chosen], kind="stable")
    shards = corpus.shards[chosen][order]
    cuts = np.flatnonzero(np.diff(shards)) + 1
    for places in np.split(order, cuts):
        if len(places):
            yield int(corpus.shards[chosen[places[0]]]), places


def read_vectors(inputs: Inputs, corpus: Corpus, chosen: I64) -> Half:
    """The embeddings [len(chosen), dimensions] of those rows, in half precision."""
    out: Half | None = None
    for shard, places in by_shard(corpus, chosen):
        found = inputs.rows("signatures", ["embedding"], corpus.rows[chosen[places]].astype(np.int64), shard)
        block = unpacked(found["embedding"], np.float16)
        if out is None:
            out = np.empty((len(chosen), block.shape[1]), np.float16)
        out[places] = block
    return np.zeros((0, 1), np.float16) if out is None else out


def read_grams(inputs: Inputs, corpus: Corpus, chosen: I64, n: int) -> Grams:
    """The word n-grams (sorted, distinct) of the texts of those rows, in that order."""
    blocks: list[U64] = []
    lengths = np.zeros(len(chosen), np.int64)
    sources = np.zeros(len(chosen), np.int64)
    base = 0
    for shard, places in by_shard(corpus, chosen):
        wanted = pa.array(corpus.ids[chosen[places]], pa.string())
        known = inputs.table("problems", ["id"], shard)["id"]
        numbers = pc.index_in(wanted, value_set=known).to_numpy().astype(np.int64)
        texts = inputs.rows("problems", ["prompt"], numbers, shard)["prompt"]
        grams = ngrams(tokenise(opened(normalised_problems(texts))).only(LEXICAL), n)
        blocks.append(grams.hashes)
        lengths[places] = np.diff(grams.offsets)
        sources[places] = grams.offsets[:-1] + base
        base += len(grams.hashes)
    return _reordered(np.concatenate([*blocks, np.zeros(0, np.uint64)]), lengths, sources)


def _reordered(hashes: U64, lengths: I64, sources: I64) -> Grams:
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(sources - offsets[:-1], lengths)
    return Grams(hashes[places], offsets)
