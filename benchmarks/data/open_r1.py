"""Compares the decontamination kernel with open-r1's published rule, written straightforwardly, on the same rows.

The rule (open-r1, scripts/decontaminate.py): lower-case, collapse white space, split into words; a row is contaminated
by a benchmark if any of the row's distinct word 8-grams is one of the benchmark's. Benchmark by benchmark the n-grams
of every row are made and every one of them is looked up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from tracemill.decontaminate.ngram_index import contained, gram_index
from tracemill.text.ngrams import ngrams
from tracemill.text.tokens import token_batches, tokenise
from tracemill.text.vocabulary import LEXICAL

N = 8


def grams(text: str) -> set[str]:
    """The distinct n-grams of a text, normalised as published."""
    words = " ".join(text.lower().strip().split()).split()
    return {" ".join(words[i : i + N]) for i in range(len(words) - N + 1)}


def flagged_by_open_r1(rows: Sequence[str], benchmarks: Mapping[str, Sequence[str]]) -> list[bool]:
    """Which rows share an n-gram with any benchmark."""
    flags = [False] * len(rows)
    for questions in benchmarks.values():
        lookup = {gram for question in questions for gram in grams(question)}
        for place, row in enumerate(rows):
            found = {gram in lookup for gram in grams(row)}
            flags[place] = flags[place] or any(found)
    return flags


def ratio(rows: Sequence[str], benchmarks: Mapping[str, Sequence[str]], repeats: int = 7) -> dict[str, float]:
    """Rows per CPU second of both, and how many times as fast ours is: medians of runs by turns, for the speed of a
    machine changes while it measures.
    """
    column = pa.array(rows, pa.large_string())
    questions = [question for items in benchmarks.values() for question in items]
    index = gram_index(ngrams(tokenise(pa.array(questions)).only(LEXICAL), N, short=False), N)
    contained(tokenise(column.slice(0, 10)), index)  # compiled before the clock starts

    def ours() -> int:
        return sum(len(np.unique(contained(tokens, index)[0])) for _, tokens in token_batches(column))

    turns = [(*_timed(lambda: sum(flagged_by_open_r1(rows, benchmarks))), *_timed(ours)) for _ in range(repeats)]
    theirs_found, theirs, ours_found, seconds = np.array(turns).T
    return {
        "open_r1_rows_per_s": len(rows) / float(np.median(theirs)),
        "rows_per_s": len(rows) / float(np.median(seconds)),
        "decontaminate_vs_open_r1": float(np.median(theirs / seconds)),
        "open_r1_flagged": int(theirs_found[0]),
        "rows_sharing_a_gram": int(ours_found[0]),
    }


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    """What the work found, and its CPU seconds."""
    start = time.process_time()
    return work(), time.process_time() - start
