"""The tables of responses: the long texts, written once, and what is known of how they were made."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# One row per response. `raw` is the response as it came and is null once it was split without loss: then
# raw == text.think.rebuilt(style, think_content, answer_content); the styles are listed there.
# `source_verdict` is a verdict that the source itself published for this response, null when it did not.
# `response_source` is the release name of where the response comes from (facts of the paper's table A3: am-0309, ...),
# apart from the teacher; `served_model` is what the server called itself when it answered. `mode` names the way in
# which the teacher was asked (reasoning effort, system prompt, temperature); null for a teacher with one way.
GENERATIONS = declare(
    Table(
        "generations",
        pa.schema(
            [
                ("id", pa.string()),
                ("problem_id", pa.string()),
                ("source", pa.string()),
                ("teacher", pa.string()),
                ("sample_index", pa.int32()),
                ("style", pa.string()),
                ("raw", pa.large_string()),
                ("think_content", pa.large_string()),
                ("answer_content", pa.large_string()),
                ("finish_reason", pa.string()),
                ("prompt_tokens", pa.int32()),
                ("completion_tokens", pa.int32()),
                ("seconds", pa.float64()),
                ("source_verdict", pa.bool_()),
                ("response_source", pa.string()),
                ("served_model", pa.string()),
                ("mode", pa.string()),
            ]
        ),
        about=("generation", "id"),
    )
)

# Traces that were cut and continued: the text goes on after `seam` characters, where `tokens` had been generated of
# the first budget; `limit` is the whole budget.
CONTINUATIONS = declare(
    Table(
        "continuations",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("seam", pa.int64()),
                ("tokens", pa.int32()),
                ("limit", pa.int32()),
            ]
        ),
        about=("generation", "generation_id"),
    )
)

# One row a token of a trace, where its teacher's `logprobs` asks for them: `place` counts from 0 over the whole trace,
# also across a continuation's seam; `logprob` is the natural logarithm of the token's probability, `top_tokens` are the
# likeliest by number, likeliest first, with theirs in half precision. Where a server gave fewer the number is
# 2**32 - 1.
TOKEN_LOGPROBS = declare(
    Table(
        "token_logprobs",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("place", pa.int32()),
                ("token", pa.uint32()),
                ("logprob", pa.float32()),
                ("top_tokens", pa.list_(pa.uint32())),
                ("top_logprobs", pa.list_(pa.float16())),
            ]
        ),
        dictionary=frozenset(("generation_id", "problem_id")),
    )
)

SELECTED = declare(
    Table(
        "selected",
        pa.schema(
            [
                ("generation_id", pa.string()),
                ("problem_id", pa.string()),
                ("verifier", pa.string()),
            ]
        ),
        about=("generation", "generation_id"),
    )
)
