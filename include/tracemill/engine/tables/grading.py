"""The tables of grading: what each response was worth by its category's rule, and what a model solves of a problem."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row per response that counts for a grade. `rule` names the rule of its category (math, code, science,
# instruction, reward), `raw` is the number in the rule's own range, `score` the same in [0, 1], `threshold` what a
# pass must exceed (or reach, by the step's settings) in [0, 1]. `score` and `passed` are null where nothing could be
# told; `reason` says why then. DeepDistill (arXiv 2504.17565), section 2.4.
SCORES = declare(
    Table(
        "scores",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("sample_index", pa.int32()),
                ("category", pa.string()),
                ("rule", pa.string()),
                ("raw", pa.float64()),
                ("score", pa.float64()),
                ("threshold", pa.float64()),
                ("passed", pa.bool_()),
                ("reason", pa.string()),
            ]
        ),
        about=("generation", "generation_id"),
        lean=True,
    )
)

# One row per problem, model (`teacher`) and `mode`: samples asked for, decided (their score could be told) and passed;
# `pass_rate` = passed / decided with its 90 % Beta interval `low` to `high`; mean, standard deviation and coefficient
# of variation of the decided scores; tokens and seconds of the model. `grade` is easy, usable, hopeless or ungraded.
GRADES = declare(
    Table(
        "grades",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("category", pa.string()),
                ("asked", pa.int32()),
                ("decided", pa.int32()),
                ("passed", pa.int32()),
                ("pass_rate", pa.float64()),
                ("low", pa.float64()),
                ("high", pa.float64()),
                ("mean", pa.float64()),
                ("deviation", pa.float64()),
                ("variation", pa.float64()),
                ("highest", pa.float64()),
                ("threshold", pa.float64()),
                ("tokens", pa.int64()),
                ("seconds", pa.float64()),
                ("grade", pa.string()),
            ]
        ),
        about=("problem", "problem_id"),
        lean=True,
    )
)

# What a pilot found of a teacher's pass rates: a Beta prior (`alpha`, `beta`), or a mixture of several (`parts`, and
# these two null), for all problems (`category` and `difficulty` null) and for each category and difficulty of which
# enough were tried. `problems` were tried, `ruled` of them have no narrower prior; `decided` samples could be told,
# `passed` of them passed. `tokens_passed` and `tokens_failed` are the mean lengths of these and of the others, null
# where nobody counted.
PRIORS = declare(
    Table(
        "priors",
        pa.schema(
            [
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("category", pa.string()),
                ("difficulty", pa.string()),
                ("problems", pa.int32()),
                ("ruled", pa.int32()),
                ("decided", pa.int32()),
                ("passed", pa.int32()),
                ("alpha", pa.float64()),
                ("beta", pa.float64()),
                ("parts", pa.list_(pa.struct([(name, pa.float64()) for name in ("weight", "alpha", "beta")]))),
                ("tokens_passed", pa.float64()),
                ("tokens_failed", pa.float64()),
            ]
        ),
    )
)
