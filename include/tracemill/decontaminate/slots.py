"""Lays sorted keys out in a table of hashes, which the kernels look up in: open addressing, a quarter full at most."""

from __future__ import annotations

import numpy as np

from tracemill.text.jit import I32, I64, U64, kernel


def laid_out(keys: U64, starts: I64, counts: I32) -> tuple[tuple[U64, I64, I32], I64]:
    """The table's keys, starts and counts (0 where a slot is free), and the slot of each of these keys."""
    size = 1 << max(4, int(4 * len(keys)).bit_length())
    slots = _free_slots(keys, size)
    table = (np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(size, np.int32))
    table[0][slots] = keys
    table[1][slots] = starts
    table[2][slots] = counts
    return table, slots


@kernel
def _free_slots(keys: U64, size: int) -> I64:
    mask = np.uint64(size - 1)
    taken = np.zeros(size, np.bool_)
    slots = np.empty(len(keys), np.int64)
    for k in range(len(keys)):
        slot = np.int64(keys[k] & mask)
        while taken[slot]:
            slot = np.int64(np.uint64(slot + 1) & mask)
        taken[slot] = True
        slots[k] = slot
    return slots
