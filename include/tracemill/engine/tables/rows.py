"""The tables of what is read: the plan, problems, their origins, and rows that could not be read."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])

# One row per shard: rows `start` to `stop` (exclusive) of a source's file; see ingest.source.Slice.
# `planned_as` is the path under which this content was first planned: rows are named by it, so a rename changes none.
PLAN = declare(
    Table(
        "plan",
        pa.schema(
            [
                ("index", pa.int32()),
                ("source", pa.string()),
                ("file", pa.string()),
                ("start", pa.int64()),
                ("stop", pa.int64()),
                ("offset", pa.int64()),
                ("length", pa.int64()),
                ("sha256", pa.string()),
                ("revision", pa.string()),
                ("planned_as", pa.string()),
            ]
        ),
    )
)

# Of a trial alone: the rows of each shard's slice that it takes (ingest/chosen.py); its other rows are not read.
CHOSEN = declare(Table("chosen", pa.schema([("index", pa.int32()), ("row", pa.int64())])))

# One row per distinct problem of a shard. `id` is problem_id() of the text: the same problem from two sources has
# one id. `prompt` is the text a model is asked (for several turns: the human turns joined by a blank line, used
# for dedup and decontamination) and `messages` the turns themselves, null when there is one only.
# `test_case` is JSON (see sandbox.suite_from), `constraints` JSON (instruction-following).
# `native_id` is the source's own id: a fact that decides nothing. `difficulty_score` is a source's number (its scale
# is the source's), `reference_solution` its own solution as code, `comparison` JSON that says how outputs compare.
# `released_as` is what a release calls the source, `published` the day on which the problem came out.
PROBLEMS = declare(
    Table(
        "problems",
        pa.schema(
            [
                ("id", pa.string()),
                ("source", pa.string()),
                ("native_id", pa.string()),
                ("category", pa.string()),
                ("prompt", pa.large_string()),
                ("messages", pa.list_(MESSAGE)),
                ("reference_answer", pa.large_string()),
                ("test_case", pa.large_string()),
                ("constraints", pa.large_string()),
                ("difficulty", pa.string()),
                ("license", pa.string()),
                ("source_rank", pa.int32()),
                ("difficulty_score", pa.float64()),
                ("reference_solution", pa.large_string()),
                ("comparison", pa.string()),
                ("released_as", pa.string()),
                ("published", pa.string()),
            ]
        ),
        about=("problem", "id"),
    )
)

# Where a problem came from: one row per source row that was read, so nothing is lost when two rows are one problem;
# `reference_answer` is that row's own (two rows may disagree).
PROVENANCE = declare(
    Table(
        "provenance",
        pa.schema(
            [
                ("origin", pa.string()),
                ("problem_id", pa.string()),
                ("source", pa.string()),
                ("native_id", pa.string()),
                ("file", pa.string()),
                ("row", pa.int64()),
                ("license", pa.string()),
                ("revision", pa.string()),
                ("reference_answer", pa.large_string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# Rows that could not be read as the source documents them: the text (cut to 64 KiB) and why.
QUARANTINE = declare(
    Table(
        "quarantine",
        pa.schema(
            [
                ("origin", pa.string()),
                ("file", pa.string()),
                ("row", pa.int64()),
                ("reason", pa.string()),
                ("detail", pa.string()),
                ("text", pa.large_string()),
            ]
        ),
        about=("row", "origin"),
    )
)

LABELS = declare(
    Table(
        "labels",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("language", pa.string()),
                ("words", pa.int32()),
                ("tokens", pa.int32()),
                ("category", pa.string()),
                ("difficulty", pa.string()),
            ]
        ),
        about=("problem", "problem_id"),
        lean=True,
    )
)

# What models say about problems. `status` is "labelled" or "unverifiable" (no answer could be read, `attempts` were
# made). `difficulty` is one of five words, `category` a tag of the prompt, `topic` its name in figure 5.
ANNOTATIONS = declare(
    Table(
        "annotations",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("annotator", pa.string()),
                ("difficulty", pa.string()),
                ("category", pa.string()),
                ("topic", pa.string()),
                ("other_tags", pa.list_(pa.string())),
                ("status", pa.string()),
                ("attempts", pa.int32()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)
