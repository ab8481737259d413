"""Measures what the rules catch: items of the run's own benchmarks, changed as leaks are changed, go through them.

copied, wrapped, partly_changed (a twelfth of the words replaced) and renumbered (only where there are numbers) must be
caught. `spliced` must not: a quarter each of four items, in their style and with their stock phrases, is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

SAMPLED = 60  # items of a benchmark, evenly over it
WORDS = 8  # shorter items are only copied and wrapped
CONTROL = "spliced"
TABLE = "mutants"
MUTANTS = pa.schema([("benchmark", pa.string()), ("kind", pa.string()), ("texts", pa.int64()), ("caught", pa.int64())])
_NUMBER = re.compile(r"\d+")
Changed = Iterator[tuple[str, str]]


def mutants(items: list[str], seed: int = 1) -> Changed:
    """Kind and text of every change of some items. The same items give the same texts."""
    draw = np.random.default_rng(seed)
    chosen = [items[k] for k in np.unique(np.linspace(0, len(items) - 1, min(SAMPLED, len(items))).astype(int))]
    words = [word for item in chosen for word in item.split() if word.isalpha() and word.islower()] or ["thing"]
    for place, item in enumerate(chosen):
        yield "copied", item.lower()
        yield "wrapped", f"Solve this problem step by step. {item} Explain each step and box the result."
        if len(item.split()) >= WORDS:
            yield "partly_changed", _partly_changed(item, words, draw)
            if _NUMBER.search(item):
                yield "renumbered", _NUMBER.sub(lambda found: str(int(found[0][:9]) + int(draw.integers(1, 50))), item)
            if len(chosen) >= 4:
                yield CONTROL, _spliced([chosen[(place + k) % len(chosen)] for k in range(4)])


def measured(questions: Mapping[str, Mapping[str, str]], flagged: Callable[[list[str]], list[bool]]) -> pa.Table:
    """The table MUTANTS: per benchmark and kind of change how many texts there were and how many `flagged` caught."""
    rows = []
    for benchmark, items in questions.items():
        changed = list(mutants(list(items.values())))
        caught = flagged([text for _, text in changed])
        for kind in dict.fromkeys(kind for kind, _ in changed):
            hits = [hit for (own, _), hit in zip(changed, caught, strict=True) if own == kind]
            rows.append({"benchmark": benchmark, "kind": kind, "texts": len(hits), "caught": sum(hits)})
    return pa.Table.from_pylist(rows, schema=MUTANTS)


def _partly_changed(item: str, words: list[str], draw: np.random.Generator) -> str:
    parts = item.split(" ")
    plain = [k for k, word in enumerate(parts) if word.isalpha() and word.islower()]
    for k in draw.permutation(plain)[: max(1, len(parts) // 12)].tolist():
        parts[k] = words[int(draw.integers(len(words)))]
    return " ".join(parts)


def _spliced(items: list[str]) -> str:
    quarters = [item.split() for item in items]
    return " ".join(" ".join(q[k * len(q) // 4 : (k + 1) * len(q) // 4]) for k, q in enumerate(quarters))
