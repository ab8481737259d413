"""The tables of evaluation: what a model scores on a benchmark, item by item, and how far that can be trusted."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

_NAMES = frozenset(("benchmark", "title", "teacher", "mode", "category", "other", "other_mode"))

# One row per benchmark (a source; `title` is what reports call it), model (`teacher`) and `mode`. Of its `items`,
# `answered` have a decided sample; `asked`, `decided` and `passed` count samples. `pass_at_1` is the mean over answered
# items of passed / decided, `low` to `high` its interval over items and samples, `visible` the smallest difference that
# such an evaluation can show; `at_least` and `at_most` are the mean over all items if what is undecided had failed, or
# passed. `cut`: the share of samples cut at the token limit; `tokens`: their mean. `second`: pass@1 by plain
# math-verify, null unless all items are of mathematics. `first` and `last`: days on which items came out; `released`:
# the model's.
EVALUATIONS = declare(
    Table(
        "evaluations",
        pa.schema(
            [
                ("benchmark", pa.string()),
                ("title", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("items", pa.int64()),
                ("answered", pa.int64()),
                ("asked", pa.int64()),
                ("decided", pa.int64()),
                ("passed", pa.int64()),
                ("pass_at_1", pa.float64()),
                ("low", pa.float64()),
                ("high", pa.float64()),
                ("visible", pa.float64()),
                ("at_least", pa.float64()),
                ("at_most", pa.float64()),
                ("cut", pa.float64()),
                ("tokens", pa.float64()),
                ("second", pa.float64()),
                ("first", pa.string()),
                ("last", pa.string()),
                ("released", pa.string()),
            ]
        ),
        dictionary=_NAMES,
    )
)

# One row per item of a benchmark and model that was asked about the benchmark (`teacher` null where none was). An item
# that was turned away before, or that no server answered, has no sample: `asked` 0. `second_passed`: samples that plain
# math-verify passes; null where it was not asked.
EVALUATION_ITEMS = declare(
    Table(
        "evaluation_items",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("benchmark", pa.string()),
                ("title", pa.string()),
                ("native_id", pa.string()),
                ("category", pa.string()),
                ("published", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("asked", pa.int64()),
                ("decided", pa.int64()),
                ("passed", pa.int64()),
                ("samples", pa.int64()),
                ("cut", pa.int64()),
                ("tokens", pa.int64()),
                ("second_passed", pa.int64()),
            ]
        ),
        about=("problem", "problem_id"),
        lean=True,
        dictionary=_NAMES,
    )
)

# One row per benchmark and pair of models: `difference` of their pass@1 on the `items` that both answered, the first
# model's less the other's, with its interval and the smallest difference that these items and samples can show.
EVALUATION_DIFFERENCES = declare(
    Table(
        "evaluation_differences",
        pa.schema(
            [
                ("benchmark", pa.string()),
                ("title", pa.string()),
                ("teacher", pa.string()),
                ("mode", pa.string()),
                ("other", pa.string()),
                ("other_mode", pa.string()),
                ("items", pa.int64()),
                ("difference", pa.float64()),
                ("low", pa.float64()),
                ("high", pa.float64()),
                ("visible", pa.float64()),
            ]
        ),
        dictionary=_NAMES,
    )
)

# One row per answer of mathematics on which plain math-verify says something else than its score: `ours` is pass, fail
# or undecided, `second` pass, fail, unreadable_gold, unreadable_answer, timeout, memory or crashed.
SECOND_OPINIONS = declare(
    Table(
        "second_opinions",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("benchmark", pa.string()),
                ("teacher", pa.string()),
                ("ours", pa.string()),
                ("second", pa.string()),
                ("gold", pa.string()),
                ("answer", pa.large_string()),
            ]
        ),
        about=("generation", "generation_id"),
        dictionary=_NAMES,
    )
)
