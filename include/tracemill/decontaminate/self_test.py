"""Measures what the rules catch: items of the run's own benchmarks, changed as leaks are changed, go through them.

copied, wrapped, partly_changed (a twelfth of the words replaced), renumbered (only where there are numbers), renamed
(only where there are names), halved (the first half, the second half, by turns) and without_figure (only where there
is one) must be caught. `spliced` must not: a quarter each of four items without their formulas, in their style and with
their stock phrases, is none. Paraphrases and translations cannot be made by rule: see benchmarks/rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from tracemill.engine.tables.dedup import MUTANTS
from tracemill.text.figures import without_figures

SAMPLED = 60  # items of a benchmark, evenly over it
WORDS = 8  # shorter items are only copied and wrapped
CONTROL = "spliced"
_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"([a-z,;] )([A-Z][a-z]{2,})\b")
_NAMES = ("Morgan", "Xenia", "Bram", "Odile", "Tariq", "Wanda", "Yusuf", "Zelda", "Ingmar", "Paloma")
_FORMULA = re.compile(r"[\\$=^_+*/<>|(){}\[\]]")
Changed = Iterator[tuple[str, str]]


def mutants(items: list[str], seed: int = 1) -> Changed:
    """Kind and text of every change of some items. The same items give the same texts."""
    draw = np.random.default_rng(seed)
    chosen = [items[k] for k in np.unique(np.linspace(0, len(items) - 1, min(SAMPLED, len(items))).astype(int))]
    words = [word for item in chosen for word in item.split() if word.isalpha() and word.islower()] or ["thing"]
    for place, item in enumerate(chosen):
        yield "copied", item.lower()
        if (plain := without_figures(item).strip()) != item.strip():
            yield "without_figure", plain
        yield "wrapped", f"Solve this problem step by step. {item} Explain each step and box the result."
        if len(item.split()) >= WORDS:
            yield "partly_changed", _partly_changed(item, words, draw)
            if _NUMBER.search(item):
                yield "renumbered", _NUMBER.sub(lambda found: str(int(found[0][:9]) + int(draw.integers(1, 50))), item)
            yield "halved", _half(item, place % 2)
            if (renamed := _renamed(item)) != item:
                yield "renamed", renamed
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
    return pa.Table.from_pylist(rows, schema=MUTANTS.schema)


def _partly_changed(item: str, words: list[str], draw: np.random.Generator) -> str:
    parts = item.split(" ")
    plain = [k for k, word in enumerate(parts) if word.isalpha() and word.islower()]
    for k in draw.permutation(plain)[: max(1, len(parts) // 12)].tolist():
        parts[k] = words[int(draw.integers(len(words)))]
    return " ".join(parts)


def _half(item: str, which: int) -> str:
    words = without_figures(item).split()
    return " ".join(words[len(words) // 2 :] if which else words[: (len(words) + 1) // 2])


def _renamed(item: str) -> str:
    """With another name for each capitalised word within a sentence; those that begin one stay."""
    others = dict[str, str]()

    def other(found: re.Match[str]) -> str:
        return found[1] + others.setdefault(found[2], _NAMES[len(others) % len(_NAMES)])

    return _NAME.sub(other, item)


def _spliced(items: list[str]) -> str:
    quarters = [[word for word in item.split() if not _FORMULA.search(word)] for item in items]
    return " ".join(" ".join(q[k * len(q) // 4 : (k + 1) * len(q) // 4]) for k, q in enumerate(quarters))
