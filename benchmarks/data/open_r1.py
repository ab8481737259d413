"""Compares the decontamination kernel with open-r1's published rule, written straightforwardly, on the same rows.

The rule (open-r1, scripts/decontaminate.py, Apache-2.0): lower-case, collapse white space, split into words; a row is
contaminated by a benchmark if it shares any word 8-gram with it. One lookup of n-grams per benchmark.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from tracemill.decontamination.items import contained, gram_index
from tracemill.text.ngrams import ngrams
from tracemill.text.tokens import token_batches, tokenise
from tracemill.text.vocabulary import LEXICAL

N = 8


def normalised(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().strip())


def grams(text: str) -> list[str]:
    words = normalised(text).split()
    return [" ".join(words[i : i + N]) for i in range(len(words) - N + 1)]


def flagged_by_open_r1(rows: Sequence[str], benchmarks: Mapping[str, Sequence[str]]) -> list[bool]:
    """Which rows share an 8-gram with any benchmark; n-grams are made anew for each benchmark, as published."""
    flags = [False] * len(rows)
    for questions in benchmarks.values():
        lookup = {gram for question in questions for gram in grams(question)}
        for place, row in enumerate(rows):
            flags[place] = flags[place] or bool({*grams(row)} & lookup)
    return flags


def ratio(rows: Sequence[str], benchmarks: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Rows per CPU second of both, and how many times as fast ours is."""
    column = pa.array(rows, pa.large_string())
    start = time.process_time()
    theirs = sum(flagged_by_open_r1(rows, benchmarks))
    straightforward = len(rows) / (time.process_time() - start)
    questions = [question for items in benchmarks.values() for question in items]
    index = gram_index(ngrams(tokenise(pa.array(questions)).only(LEXICAL), N, short=False), N)
    contained(tokenise(column.slice(0, 10)).only(LEXICAL), index)  # compiled before the clock starts
    start, hits = time.process_time(), 0
    for _, tokens in token_batches(column):
        texts, _, _ = contained(tokens.only(LEXICAL), index)
        hits += len(set(texts.tolist()))
    ours = len(rows) / (time.process_time() - start)
    return {
        "open_r1_rows_per_s": straightforward,
        "rows_per_s": ours,
        "decontaminate_vs_open_r1": ours / straightforward,
        "open_r1_flagged": theirs,
        "rows_sharing_a_gram": hits,
    }
