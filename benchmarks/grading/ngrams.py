"""Counts the 20-grams that recur in responses of 2,000 words: CPU time, memory, and whether it finds what was planted.

    python -m benchmarks.grading.ngrams [SHARE]

50 k and 200 k responses in shards of 2,000 (SHARE: that part of both), words drawn as in language. Of a hundred phrases
of twenty words half are planted 20 times and half 21 times, over all shards. Each size is measured in a process of its
own; writing the data is not counted. A refresh counts one more shard.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pyarrow as pa

from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of
from tracemill.select.phrases.step import Phrases

SIZES = (50_000, 200_000)
SHARD = 2_000
WORDS = 2_000  # of a response
VOCABULARY = 40_000
PHRASES = 100
PUBLISHED = 16_800_000  # responses, of which the time is extrapolated
_NONE = Counts(entered=0, kept=0, rejected={}, quarantined={})


def written(store: Store, responses: int) -> list[Manifest]:
    """Seal so many responses, the phrases among them."""
    draw = np.random.default_rng(7)
    words = np.array([f"{_word(k)} " for k in range(VOCABULARY)], "S5")
    planted = _planted(responses)
    return [_shard(store, number, min(SHARD, responses - first), words, planted, draw)
            for number, first in enumerate(range(0, responses, SHARD))]  # fmt: skip


def _word(number: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz"
    return "".join(letters[number // 20**k % 20] for k in range(4))


def _planted(responses: int) -> dict[int, list[str]]:
    """By the number of a response: the phrases that stand in it."""
    draw = np.random.default_rng(3)
    words = [_word(k) for k in range(VOCABULARY)]
    found: dict[int, list[str]] = {}
    for phrase in range(PHRASES):
        text = " ".join(draw.choice(words, 20))
        for place in draw.choice(responses, 20 + phrase % 2, replace=False):
            found.setdefault(int(place), []).append(text)
    return found


def _shard(store: Store, number: int, rows: int, words: Any, planted: dict[int, list[str]], draw: Any) -> Manifest:
    ranks = np.minimum(draw.zipf(1.2, (rows, WORDS)) - 1, VOCABULARY * 50) * 7919 % VOCABULARY
    data = words[ranks].tobytes().decode("ascii")
    size = words.itemsize * WORDS
    texts = [
        data[row * size : (row + 1) * size] + " ".join(planted.get(number * SHARD + row, ())) for row in range(rows)
    ]
    schema = columns_of("generations")
    given = {
        "id": pa.array([f"g{number:05d}{row:05d}" for row in range(rows)]),
        "problem_id": pa.array([f"p{number:05d}{row:05d}" for row in range(rows)]),
        "think_content": pa.array(texts, pa.large_string()),
    }
    table = pa.table({f.name: given.get(f.name, pa.nulls(rows, f.type)) for f in schema}).cast(schema)
    stored = {"generations": store.put_table(table, "ingest", number, "generations")}
    return Manifest(step="ingest", index=number, fingerprint="f", unit="row", counts=_NONE, tables=stored)


def _counted(root: str, sealed: list[Manifest], previous: Manifest | None, told: Any) -> None:
    """In a process of its own: the seconds, the peak in bytes, the n-grams found, and the manifest."""
    store = Store.at(root)
    step = Phrases(kind="phrases")
    inputs = Inputs(store, 0, {m.index: [m] for m in sealed}, [], len(sealed), previous)
    warm = Inputs(store, 0, {0: [sealed[0]]}, [], 1)
    step.run(Resources(), warm)  # compile what runs below
    began = time.process_time()
    output = step.run(Resources(), inputs)
    seconds = time.process_time() - began
    stored = {name: store.put_table(table, "phrases", 0, name) for name, table in output.tables.items()}
    made = Manifest(step="phrases", index=0, fingerprint="f", unit="row", counts=_NONE, tables=stored,
                    settings=step.settings(inputs))  # fmt: skip
    grams = output.tables["phrases"]
    totals = np.bincount(np.unique(grams["gram"].to_numpy(), return_inverse=True)[1], grams["count"].to_numpy())
    exact = sorted(totals.tolist()) == [21.0] * (PHRASES // 2)
    told.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, exact, made))


def measured(root: str, sealed: list[Manifest], previous: Manifest | None = None) -> tuple[float, int, bool, Manifest]:
    """What `_counted` tells."""
    fresh = multiprocessing.get_context("spawn")
    told = fresh.Queue()
    process = fresh.Process(target=_counted, args=(root, sealed, previous, told))
    process.start()
    found: tuple[float, int, bool, Manifest] = told.get()
    process.join()
    return found


def figures(share: float = 1.0) -> dict[str, float]:
    """The figures of both sizes and of a refresh."""
    seconds = []
    peaks = []
    exact = True
    for size in (int(size * share) for size in SIZES):
        with tempfile.TemporaryDirectory() as folder:
            store = Store.at(folder, create=True)
            sealed = written(store, size)
            took, peak, right, made = measured(folder, sealed[:-1] if size > SIZES[0] * share else sealed)
            seconds.append(took)
            peaks.append(peak)
            if size > SIZES[0] * share:
                again, _, right, _ = measured(folder, sealed, made)
            exact &= right
    words = SIZES[1] * share * WORDS
    parts = PUBLISHED * WORDS / (4 * 2**29)
    return {
        "ngrams_time_ratio": seconds[1] / seconds[0],
        "ngrams_seconds": seconds[1],
        "ngrams_tokens_per_second": words / seconds[1],
        "ngrams_peak_gib": max(peaks) / 2**30,
        "ngrams_exact": float(exact),
        "ngrams_refresh_share": again / seconds[1],
        "ngrams_hours_at_16_8m": PUBLISHED * WORDS / words * seconds[1] * 2 ** np.ceil(np.log2(parts)) / 3600,
    }


if __name__ == "__main__":
    print(json.dumps(figures(float(sys.argv[1]) if sys.argv[1:] else 1.0)))
