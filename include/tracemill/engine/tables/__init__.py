"""The tables that steps exchange. A judgement is a small table keyed by id; the texts of a trace are written once."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables import (
    ablation,
    costs,
    dedup,
    evaluation,
    grading,
    identities,
    judgements,
    ledger,
    phrases,
    piloting,
    responses,
    rows,
    selection,
    training,
)
from tracemill.engine.tables.table import Table, declared, table_named

__all__ = [
    "Table",
    "ablation",
    "columns_of",
    "costs",
    "declared",
    "dedup",
    "empty",
    "evaluation",
    "grading",
    "identities",
    "judgements",
    "ledger",
    "phrases",
    "piloting",
    "responses",
    "rows",
    "selection",
    "table_named",
    "training",
]


def columns_of(name: str) -> pa.Schema:
    """The documented columns of the table of that name."""
    return declared()[name].schema


def empty(name: str) -> pa.Table:
    """The table of that name without rows."""
    return declared()[name].empty()
