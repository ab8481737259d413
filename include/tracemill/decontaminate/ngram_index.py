"""Looks texts up in the n-grams of all benchmark items at once: how much of an item a text contains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemill.decontaminate.slots import laid_out
from tracemill.text.jit import F32, I32, I64, U8, U64, at, kernel, mixed
from tracemill.text.ngrams import Grams, power, rolled
from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import LEXICAL


@dataclass(frozen=True)
class GramIndex:
    """Open-addressing table from an n-gram to the items that have it, `owners[starts[s]:starts[s] + counts[s]]`.

    `weights[s]` is 1 / counts: an n-gram that several items share (boiler-plate) is weak evidence for any of them.
    `totals` is the weight of all n-grams of each item. `present` has a bit for each n-gram's hash: most n-grams of a
    text are in no item, and this table stays in the cache.
    """

    n: int
    present: U8
    keys: U64
    starts: I64
    counts: I32
    owners: I32
    totals: F32


def gram_index(grams: Grams, n: int) -> GramIndex:
    """Index the distinct n-grams of items."""
    owners = np.repeat(np.arange(len(grams), dtype=np.int32), np.diff(grams.offsets))
    order = np.argsort(grams.hashes, kind="stable")
    keys, starts, inverse, counts = np.unique(
        grams.hashes[order], return_index=True, return_inverse=True, return_counts=True
    )
    totals = np.bincount(owners[order], 1.0 / counts[inverse], len(grams)).astype(np.float32)
    table, _ = laid_out(keys, starts, counts.astype(np.int32))
    return GramIndex(n, _bits(keys), *table, owners[order], totals)


def contained(tokens: Tokens, index: GramIndex, kinds: int = LEXICAL) -> tuple[I32, I32, F32]:
    """Which texts share n-grams with which items: text, item, and the share of the item's weight that the text has.

    Only tokens of those kinds count.
    """
    return _contained(
        tokens.hashes,
        tokens.kinds,
        tokens.offsets,
        kinds,
        index.n,
        index.present,
        index.keys,
        index.starts,
        index.counts,
        index.owners,
        index.totals,
    )


BITS = 22  # half a MiB: 1.5 % of other n-grams pass at 64,000 indexed ones


@kernel
def _place(gram: np.uint64) -> np.int64:
    return np.int64(gram >> np.uint64(64 - BITS))


@kernel
def _bits(keys: U64) -> U8:
    present = np.zeros(1 << (BITS - 3), np.uint8)
    for key in keys:
        place = _place(key)
        present[place >> 3] |= np.uint8(1 << (place & 7))
    return present


@kernel
def _contained(
    tokens: U64,
    token_kinds: U8,
    offsets: I64,
    kinds: int,
    n: int,
    present: U8,
    keys: U64,
    starts: I64,
    counts: I32,
    owners: I32,
    totals: F32,
) -> tuple[I32, I32, F32]:
    mask = np.uint64(len(keys) - 1)
    over = power(n)
    seen = np.full(len(keys), -1, np.int64)  # the last text that had this n-gram: it counts once
    weight = np.zeros(len(totals), np.float32)
    touched = np.empty(len(totals), np.int32)
    window = np.zeros(n, np.uint64)
    texts = [np.int32(0) for _ in range(0)]
    items = [np.int32(0) for _ in range(0)]
    shares = [np.float32(0) for _ in range(0)]
    for row in range(len(offsets) - 1):
        size = 0
        rolling = np.uint64(0)
        filled = 0
        turn = 0
        for i in range(offsets[row], offsets[row + 1]):
            if token_kinds[at(i)] & kinds == 0:
                continue
            rolling = rolled(rolling, tokens[at(i)], window[at(turn)] if filled >= n else np.uint64(0), over)
            window[at(turn)] = tokens[at(i)]
            filled = filled + 1
            turn = turn + 1 if turn + 1 < n else 0
            if filled < n:
                continue
            gram = mixed(rolling)
            place = _place(gram)
            if not present[at(place >> 3)] >> (place & 7) & 1:
                continue
            slot = np.int64(gram & mask)
            while counts[slot] != 0 and keys[slot] != gram:
                slot = np.int64(np.uint64(slot + 1) & mask)
            if counts[slot] == 0 or seen[slot] == row:
                continue
            seen[slot] = row
            for k in range(starts[slot], starts[slot] + counts[slot]):
                if weight[owners[k]] == 0:
                    touched[size] = owners[k]
                    size += 1
                weight[owners[k]] += np.float32(1.0) / np.float32(counts[slot])
        for k in range(size):
            texts.append(np.int32(row))
            items.append(touched[k])
            shares.append(min(np.float32(1.0), weight[touched[k]] / totals[touched[k]]))
            weight[touched[k]] = 0
    return np.array(texts, np.int32), np.array(items, np.int32), np.array(shares, np.float32)
