"""The tables of training: what was found wrong with rows as a trainer reads them, and how the loss went."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# No rows: by this name the steps after a release find its files.
RELEASED = declare(Table("released"))

# One row per released row and fault (docs/design/training.md names them) by the template that it is trained with.
PROOFS = declare(
    Table(
        "proofs",
        pa.schema([("generation_id", pa.string()), ("fault", pa.string()), ("detail", pa.string())]),
        about=("generation", "generation_id"),
        lean=True,
    )
)

# One row per step of a training: mean loss of its tokens (nats), learning rate, tokens seen and those of them in the
# loss on all devices, a checksum of the first device's tokens in their order, and seconds.
CURVES = declare(
    Table(
        "curves",
        pa.schema(
            [
                ("step", pa.int64()),
                ("loss", pa.float64()),
                ("learning_rate", pa.float64()),
                ("tokens", pa.int64()),
                ("learned", pa.int64()),
                ("rows", pa.int64()),
                ("seconds", pa.float64()),
            ]
        ),
    )
)
