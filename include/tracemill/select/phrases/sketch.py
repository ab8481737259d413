"""Says how often an n-gram occurs at most, in memory that does not grow: a count-min sketch of bytes.

Two rows of counters; an n-gram has one in each, and its estimate is the smaller: never too low, and too high only where
it shares both with others (Cormode and Muthukrishnan, J. Algorithms 55, 2005). Counters stop at 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tracemill.text.jit import U8, U64, kernel

SMALLEST = 1 << 12
LARGEST = 1 << 29  # counters of a row: a GiB for both
HIGHEST = 255
BLOCK = 1 << 24  # bytes of a stored block


@dataclass(frozen=True)
class Sketch:
    """`cells` has two rows of counters, a power of two each."""

    cells: U8

    @classmethod
    def of_size(cls, size: int) -> Self:
        """An empty one with so many counters a row."""
        return cls(np.zeros((2, size), np.uint8))

    @property
    def size(self) -> int:
        """Counters of a row."""
        return len(self.cells[0])

    def add(self, grams: U64) -> None:
        """Count these n-grams."""
        _add(grams, self.cells[0], self.cells[1])

    def at_most(self, grams: U64) -> U8:
        """How often each of these was counted at most; HIGHEST stands for all that is more."""
        found = np.empty(len(grams), np.uint8)
        _look(grams, self.cells[0], self.cells[1], found)
        return found

    def with_all(self, other: Sketch) -> Sketch:
        """A sketch of what both have counted."""
        total = Sketch(self.cells.copy())
        for mine, more in zip(total.cells, other.cells, strict=True):
            _join(mine, more)
        return total


@kernel
def _add(grams: U64, first: U8, second: U8) -> None:
    mask = np.uint64(len(first) - 1)
    for k in range(len(grams)):
        one = np.int64(grams[k] & mask)
        two = np.int64((grams[k] >> np.uint64(32)) & mask)
        if first[one] < 255:
            first[one] += 1
        if second[two] < 255:
            second[two] += 1


@kernel
def _look(grams: U64, first: U8, second: U8, found: U8) -> None:
    mask = np.uint64(len(first) - 1)
    for k in range(len(grams)):
        one = first[np.int64(grams[k] & mask)]
        two = second[np.int64((grams[k] >> np.uint64(32)) & mask)]
        found[k] = min(one, two)


@kernel
def _join(cells: U8, more: U8) -> None:
    for k in range(len(cells)):
        total = np.int64(cells[k]) + np.int64(more[k])
        cells[k] = 255 if total > 255 else total
