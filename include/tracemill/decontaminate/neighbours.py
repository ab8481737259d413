"""Finds, for many texts at once, the benchmark items that have most of the same units: the candidates of alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemill.decontaminate.slots import laid_out
from tracemill.text.jit import F32, I32, I64, U64, kernel
from tracemill.text.meaning.units import Units

LEAST = 0.5  # shared weight: less is chance


@dataclass(frozen=True)
class UnitIndex:
    """Open-addressing table from a unit to the items that have it, `owners[starts[s]:starts[s] + counts[s]]`.

    `weights[s]` is the unit's weight, less where many items have it; `totals` what the units of each item weigh.
    """

    keys: U64
    starts: I64
    counts: I32
    weights: F32
    owners: I32
    totals: F32


def unit_index(items: Units) -> UnitIndex:
    """Index the units of items."""
    owners = np.repeat(np.arange(len(items), dtype=np.int32), np.diff(items.offsets))
    order = np.argsort(items.hashes, kind="stable")
    keys, starts, inverse, counts = np.unique(
        items.hashes[order], return_index=True, return_inverse=True, return_counts=True
    )
    weights = (items.weights[order][starts] / (1.0 + 0.25 * np.log(counts))).astype(np.float32)
    totals = np.bincount(owners[order], weights[inverse], len(items)).astype(np.float32)
    table, slots = laid_out(keys, starts, counts.astype(np.int32))
    spread = np.zeros(len(table[0]), np.float32)
    spread[slots] = weights
    return UnitIndex(*table, spread, owners[order], totals)


def neighbours(texts: Units, index: UnitIndex, floor: float) -> tuple[I32, I32, F32]:
    """Text, item, and likeness (the geometric mean of what either has of the other's weight), where it reaches `floor`.

    Memory: what is found. Sharing less than LEAST is no likeness.
    """
    return _near(
        texts.hashes,
        texts.weights,
        texts.offsets,
        index.keys,
        index.starts,
        index.counts,
        index.weights,
        index.owners,
        index.totals,
        floor,
    )


@kernel
def _near(
    units: U64,
    unit_weights: F32,
    offsets: I64,
    keys: U64,
    starts: I64,
    counts: I32,
    weights: F32,
    owners: I32,
    totals: F32,
    floor: float,
) -> tuple[I32, I32, F32]:
    mask = np.uint64(len(keys) - 1)
    shared = np.zeros(len(totals), np.float32)
    touched = np.empty(len(totals), np.int32)
    texts = [np.int32(0) for _ in range(0)]
    items = [np.int32(0) for _ in range(0)]
    likeness = [np.float32(0) for _ in range(0)]
    for row in range(len(offsets) - 1):
        size = 0
        total = np.float32(0)
        for i in range(offsets[row], offsets[row + 1]):
            slot = np.int64(units[i] & mask)
            while counts[slot] != 0 and keys[slot] != units[i]:
                slot = np.int64(np.uint64(slot + 1) & mask)
            if counts[slot] == 0:
                total += unit_weights[i]
                continue
            weight = weights[slot]
            total += weight
            for k in range(starts[slot], starts[slot] + counts[slot]):
                if shared[owners[k]] == 0:
                    touched[size] = owners[k]
                    size += 1
                shared[owners[k]] += weight
        least = np.float32(floor * floor) * total
        for k in range(size):
            item = touched[k]
            both = shared[item]
            shared[item] = 0
            if both * both >= least * totals[item] and both > LEAST:
                texts.append(np.int32(row))
                items.append(item)
                likeness.append(min(np.float32(1), np.float32(both / np.sqrt(total * totals[item]))))
    return np.array(texts, np.int32), np.array(items, np.int32), np.array(likeness, np.float32)
