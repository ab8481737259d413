"""Says whether a proof is good enough: how many rows may have which fault before it is red."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tracemill.errors import RecipeError
from tracemill.release.proof.faults import FAULTS
from tracemill.release.proof.proving import Totals

ANY = "any"
_WRITTEN = re.compile(r"(\w+)=(\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True)
class Limits:
    """The most rows of each fault: a number, or a share of all rows. What is not named may not be at all."""

    rows: Mapping[str, float]
    shares: Mapping[str, float]

    def broken(self, totals: Totals) -> list[str]:
        """A sentence for each limit that these rows are over; none when the proof is good enough."""
        counts = dict(totals.faults)
        if ANY in self.rows or ANY in self.shares:
            named = {fault: count for fault, count in counts.items() if fault in self.rows or fault in self.shares}
            counts = {**named, ANY: totals.rows - totals.whole}
        return [
            f"{fault}: {count:,} rows, where {self._most(fault, totals.rows):,.0f} are allowed"
            for fault, count in counts.items()
            if count > self._most(fault, totals.rows)
        ]

    def _most(self, fault: str, rows: int) -> float:
        return self.rows[fault] if fault in self.rows else self.shares.get(fault, 0.0) * rows


def limits(written: Iterable[str]) -> Limits:
    """Read `FAULT=ROWS` and `FAULT=PERCENT%`. Raises RecipeError for another form or a fault that there is not."""
    rows: dict[str, float] = {}
    shares: dict[str, float] = {}
    for text in written:
        read = _WRITTEN.fullmatch(text)
        if read is None or read[1] not in (*FAULTS, ANY):
            raise RecipeError(f"--at-most {text}: write FAULT=ROWS or FAULT=0.5%, of {', '.join((*FAULTS, ANY))}")
        if read[3]:
            shares[read[1]] = float(read[2]) / 100
        else:
            rows[read[1]] = float(read[2])
    return Limits(rows, shares)
