"""The tables of a pilot: what the problems that were tried took of a teacher, and what all of them will take."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row per problem that a pilot tried: the `samples` that count by the teacher's policy in all its modes, and what
# they took. Tokens are null where a server did not count those of one of them. The policy's verifiers could tell of
# `told` samples whether they are right, and `passed` are; both are 0 where it judges nothing. Older tables
# have neither.
PILOTED = declare(
    Table(
        "piloted",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("teacher", pa.string()),
                ("category", pa.string()),
                ("difficulty", pa.string()),
                ("samples", pa.int64()),
                ("prompt_tokens", pa.int64()),
                ("completion_tokens", pa.int64()),
                ("seconds", pa.float64()),
                ("told", pa.int64()),
                ("passed", pa.int64()),
            ]
        ),
        about=("problem", "problem_id"),
        lean=True,
    )
)

# How many problems a teacher is to be asked, by category and difficulty, those that the pilot tried among them.
STRATA = declare(
    Table(
        "strata",
        pa.schema(
            [
                ("teacher", pa.string()),
                ("category", pa.string()),
                ("difficulty", pa.string()),
                ("problems", pa.int64()),
            ]
        ),
        lean=True,
    )
)

# What a teacher will take of all its problems: one row per `quantity` (samples, prompt_tokens, completion_tokens, and
# seconds, those of its requests one after the other), with the ends of the 90 % interval; null where nobody counted it.
FORECASTS = declare(
    Table(
        "forecasts",
        pa.schema(
            [
                ("teacher", pa.string()),
                ("quantity", pa.string()),
                ("problems", pa.int64()),
                ("tried", pa.int64()),
                ("expected", pa.float64()),
                ("low", pa.float64()),
                ("high", pa.float64()),
            ]
        ),
        lean=True,
    )
)
