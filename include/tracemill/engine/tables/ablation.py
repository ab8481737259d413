"""The table of ablation: how many tokens a student would learn of each response that it might be trained on."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row per living response of an arm: tokens of thinking and answer by the student's own tokenizer.
ABLATION_TOKENS = declare(
    Table(
        "ablation_tokens",
        pa.schema([("generation_id", pa.string()), ("tokens", pa.int64())]),
        about=("generation", "generation_id"),
        lean=True,
    )
)
