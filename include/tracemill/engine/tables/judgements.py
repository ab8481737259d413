"""The tables of judgements on responses and references: small, keyed by id, beside the long texts."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# Problems with a disputed reference: `answers` that exclude each other, and who says so (`sources`: sources
# of the references, or the teachers that agree on the last answer against the first, the reference).
# `believed` is the answer that is kept as reference, null when none is, and `why` says so in words.
CONFLICTS = declare(
    Table(
        "conflicts",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("reason", pa.string()),
                ("answers", pa.list_(pa.large_string())),
                ("sources", pa.list_(pa.string())),
                ("believed", pa.large_string()),
                ("why", pa.string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# Problems whose reference most responses contradict: `votes` of `responses` that state an answer say `common`, and a
# stronger model, asked for its own, said `said`. `outcome` is repaired (it says the same: the problem goes on as
# `repaired_as`, with `common` as reference), doubted (it says another answer) or unsettled (nothing could be shown).
REPAIRS = declare(
    Table(
        "repairs",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("reference", pa.large_string()),
                ("common", pa.large_string()),
                ("votes", pa.int32()),
                ("responses", pa.int32()),
                ("teachers", pa.list_(pa.string())),
                ("asked", pa.string()),
                ("said", pa.list_(pa.large_string())),
                ("outcome", pa.string()),
                ("repaired_as", pa.string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# `trust` is high or low for programs (see docs/design/sandbox.md), null where it means nothing. `overrules` names the
# verifiers whose fail or "could not tell" this verdict's pass sets aside: a judge's, by its recipe; null otherwise.
VERDICTS = declare(
    Table(
        "verdicts",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("verifier", pa.string()),
                ("status", pa.string()),
                ("score", pa.float64()),
                ("reason", pa.string()),
                ("detail", pa.large_string()),
                ("trust", pa.string()),
                ("overrules", pa.list_(pa.string())),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

# Whether a response to a problem could be told right from wrong, by verifier; `reason` says in a word why not.
PRECHECKS = declare(
    Table(
        "prechecks",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("verifier", pa.string()),
                ("solvable", pa.bool_()),
                ("reason", pa.string()),
                ("detail", pa.large_string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# What a judge said of a response that a verifier had decided, beside what that was: `verified` and `judged` are
# statuses. Nothing is decided by it; the card of a release counts how far the judge can be believed.
OPINIONS = declare(
    Table(
        "opinions",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("judge", pa.string()),
                ("verifiers", pa.string()),
                ("verified", pa.string()),
                ("judged", pa.string()),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

REWARDS = declare(
    Table(
        "rewards",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("reward_model", pa.string()),
                ("helpfulness", pa.float32()),
                ("correctness", pa.float32()),
                ("coherence", pa.float32()),
                ("complexity", pa.float32()),
                ("verbosity", pa.float32()),
                ("score", pa.float32()),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

# One number about a response by one measurer: `metric` names it ("score", "perplexity", "rsr", "surprisal").
MEASUREMENTS = declare(
    Table(
        "measurements",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("metric", pa.string()),
                ("measurer", pa.string()),
                ("value", pa.float64()),
                ("tokens", pa.int32()),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

# The rank of every token of query and response but the first among all that `measurer` knows: 1 is the likeliest,
# 65,535 any beyond. The last `own` of them are the response's; null where these cannot be told from the query's.
RANKS = declare(
    Table(
        "ranks",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("measurer", pa.string()),
                ("own", pa.int32()),
                ("ranks", pa.list_(pa.uint16())),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

# How a metric is distributed over all shards and where it is cut: `quantile` is null for an absolute cut; `edges`
# and `counts` are a histogram (counts has one fewer).
CUTS = declare(
    Table(
        "cuts",
        pa.schema(
            [
                ("metric", pa.string()),
                ("measurer", pa.string()),
                ("group", pa.string()),
                ("rows", pa.int64()),
                ("quantile", pa.float64()),
                ("threshold", pa.float64()),
                ("minimum", pa.float64()),
                ("median", pa.float64()),
                ("maximum", pa.float64()),
                ("edges", pa.list_(pa.float64())),
                ("counts", pa.list_(pa.int64())),
            ]
        ),
    )
)
