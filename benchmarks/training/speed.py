"""How many rows of usual length are proved a second, with a tokenizer, on one processor and on all."""

from __future__ import annotations

import time

from benchmarks.training.rows import released, traces
from tracemill.engine.processors import processors
from tracemill.release.proof.proving import Plan, prove
from tracemill.release.proof.templates import template

ROWS = 4_000
_ON_ONE = 500


def figures() -> dict[str, float | int]:
    """`rows_proved_per_second`: all processors, reading included, starting them not: it does not grow with rows."""
    with released(traces(ROWS)) as (found, tokenizer):
        plan = Plan(template("qwen2_5", tokenizer), "prompt_completion", None, 32_768)
        batches = list(found.rows("train"))
        began = time.perf_counter()
        few = [(rows.slice(0, _ON_ONE), about.slice(0, _ON_ONE)) for rows, about in batches[:1]]
        one = prove(few, plan, 1, lambda _: None, lambda _: None)
        alone = one.rows / (time.perf_counter() - began)
        first: list[float] = []
        totals = prove(batches, plan, processors(), lambda _: first.append(time.perf_counter()), lambda _: None)
        rest = (totals.rows - batches[0][0].num_rows) / (first[-1] - first[0])
    return {
        "rows_proved_per_second_one": alone,
        "rows_proved_per_second": rest,
        "rows_not_whole": totals.rows - totals.whole,
    }
