"""The tables of a migration: what problems and responses were called in an older store format, and are called now."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# An old id may have several successors: texts that the old ids did not tell apart. `first` marks the one whose text
# stood under the old id in that shard.
PROBLEM_IDS = declare(
    Table(
        "problem_ids",
        pa.schema(
            [
                ("old_id", pa.string()),
                ("new_id", pa.string()),
                ("old_shard", pa.int32()),
                ("new_shard", pa.int32()),
                ("first", pa.bool_()),
            ]
        ),
        lean=True,
    )
)

GENERATION_IDS = declare(
    Table(
        "generation_ids",
        pa.schema(
            [
                ("old_id", pa.string()),
                ("new_id", pa.string()),
                ("old_problem", pa.string()),
                ("new_problem", pa.string()),
            ]
        ),
        lean=True,
    )
)

# The rows that dedup had kept, by the ids of today: they are kept still, and all others are decided anew.
ANCHORS = declare(
    Table(
        "anchors",
        pa.schema([("problem_id", pa.string()), ("shard", pa.int32())]),
        lean=True,
    )
)
