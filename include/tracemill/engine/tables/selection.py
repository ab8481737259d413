"""The table of selection by difficulty: which responses each stage of training takes, and what decided it."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row per response that entered stage 1 (`chosen` or not), and one per response that stage 2 takes. `rule` says what
# was decided (challenging, easy_kept, hopeless, ...) and `setting` by which setting; `score` and `threshold` are the
# numbers that decided, `variation` the coefficient of variation of the problem's scores by this model. `rank`: of stage
# 2, by falling variation within the category, from 1. `lucky`: kept, though the model's pass rate is all but surely
# below the step's `lucky_below`. DeepDistill (arXiv 2504.17565), algorithm 1.
STAGES = declare(
    Table(
        "stages",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("category", pa.string()),
                ("stage", pa.int32()),
                ("chosen", pa.bool_()),
                ("rule", pa.string()),
                ("setting", pa.string()),
                ("score", pa.float64()),
                ("threshold", pa.float64()),
                ("variation", pa.float64()),
                ("rank", pa.int64()),
                ("lucky", pa.bool_()),
            ]
        ),
        about=("generation", "generation_id"),
        lean=True,
        dictionary=frozenset(("teacher", "mode", "category", "rule", "setting")),
    )
)
