"""Where a row goes and why, one row at a time: for steps that decide by model answers rather than by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tracemill.engine.ids import Bucket, Unit
from tracemill.engine.step import ledger_rows


@dataclass(frozen=True)
class Fate:
    """A row's bucket and reason, with the number and the bound that decided where a number did."""

    bucket: Bucket
    reason: str | None = None
    score: float | None = None
    threshold: float | None = None
    detail: str | None = None


def fate_ledger(unit: Unit, ids: Sequence[str], fates: Sequence[Fate]) -> pa.Table:
    """The ledger of rows with these fates."""
    return ledger_rows(
        unit,
        ids,
        [fate.bucket for fate in fates],
        [fate.reason for fate in fates],
        [fate.score for fate in fates],
        [fate.threshold for fate in fates],
        [fate.detail for fate in fates],
    )
