"""The table of what generations took of a model's servers, beside them: what they cost is reckoned from it."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row a request of which a trace was made, where a server of a run answered it: `part` 0 for its beginning, 1 for
# its continuation; `server` names the record of that server's life on the store (costs/servers), by which the tokens
# read and written become device-seconds. It is null where nobody knows who answered.
USAGE = declare(
    Table(
        "usage",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("part", pa.int32()),
                ("server", pa.string()),
                ("prompt_tokens", pa.int32()),
                ("completion_tokens", pa.int32()),
            ]
        ),
        about=("generation", "generation_id"),
        lean=True,
        dictionary=frozenset(("server",)),
    )
)
