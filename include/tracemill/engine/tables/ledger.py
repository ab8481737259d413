"""The ledger: where every row that entered a step went, and what decided."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# Every row that entered a step, in exactly one bucket. `score` and `threshold` are what decided, if a number did.
# Its rows are about the unit that `unit` names.
LEDGER = declare(
    Table(
        "ledger",
        pa.schema(
            [
                ("id", pa.string()),
                ("unit", pa.string()),
                ("bucket", pa.string()),
                ("reason", pa.string()),
                ("score", pa.float64()),
                ("threshold", pa.float64()),
                ("detail", pa.large_string()),
            ]
        ),
        lean=True,
    )
)
