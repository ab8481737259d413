"""Measures what decontamination catches of AIME and MATH-500 items that were changed by hand or by rule, and what else.

Read from the files that TRACEMILL_DATA names; nothing of them is kept here. `rewritten.jsonl` beside this module holds
paraphrases and Chinese translations in words of our own, by the item's number. No embedder and no served model takes
part: what is measured is the lexical rules and alignment. A text is caught if any rule gives its own item away.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tracemill.decontaminate import retold
from tracemill.decontaminate.matching import Items, Problems, matches
from tracemill.decontaminate.self_test import mutants
from tracemill.engine.tables.dedup import TEMPLATES
from tracemill.text.figures import without_figures

THRESHOLDS = {"exact": 1.0, "ngram": 0.5, "alignment": 0.5, "template": 0.75}  # the step's defaults
BENCHMARKS = {"aime24": "prompt", "aime25": "prompt", "math500": "problem"}
OTHERS = {
    "aime_1983_2023": "problem",
    "leetcode_train": "problem",
    "code_contests": "problem",
    "codeforces": "problem",
    "gsm8k_model_solutions": "question",
    "math_cot_100x8": "question",
    "humaneval_codegen16b_8": "prompt",
    "ifeval_prompts": "prompt",
    "kodcode_r1": "question",
}
INSTRUCTION = "\nPlease reason step by step"
# MATH-500 has AIME problems, and its items are MATH test problems: rows that hold so much of an item word for word, and
# its quantities, are it. Read by a person: all 14 are, and no other hit is.
TRULY_CONTAINED = 0.6


def figures() -> dict[str, float | int]:
    """Shares caught by kind, the share of clean rows hit, and rows per CPU second of the alignment tier."""
    data = os.environ.get("TRACEMILL_DATA")
    if not data:
        print("decontamination: TRACEMILL_DATA names no folder with the public sample files; nothing is measured")
        return {}
    folder = Path(data)
    questions = {name: _questions(folder, name, field) for name, field in BENCHMARKS.items()}
    items = Items(questions, np.zeros((sum(map(len, questions.values())), 0), np.float32))
    found = _rewritten(items) | _by_rule(questions, items) | _retold()
    rows = [row for name, field in OTHERS.items() for row in _read(folder, name, field)]
    began = time.process_time()
    hits, true = _hits(rows, items)
    seconds = time.process_time() - began
    return found | {
        "false_hits": (len(hits) - len(true)) / len(rows),
        "true_hits": len(true),
        "clean_rows": len(rows) - len(true),
        "decontaminated_per_cpu_s": len(rows) / seconds,
    }


def caught(texts: list[str], own: list[str], items: Items) -> list[bool]:
    """Which texts are given away as their own item (`benchmark/item`)."""
    problems = _problems(texts)
    names = [f"{b}/{i}" for b, i in zip(items.benchmark, items.name, strict=True)]
    hit = [False] * len(texts)
    for rule, threshold in THRESHOLDS.items():
        found = matches(rule, problems, items, threshold)
        for k in np.flatnonzero(found.hits(threshold)).tolist():
            hit[found.texts[k]] |= names[found.items[k]] == own[found.texts[k]]
    return hit


def _rewritten(items: Items) -> dict[str, float | int]:
    lines = Path(__file__).with_name("rewritten.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    hit = caught([row["text"] for row in rows], [row["item"] for row in rows], items)
    kinds = {"paraphrase": "paraphrases_caught", "translation": "translations_caught"}
    return {
        name: _share(h for h, row in zip(hit, rows, strict=True) if row["kind"] == kind) for kind, name in kinds.items()
    }


def _by_rule(questions: dict[str, dict[str, str]], items: Items) -> dict[str, float | int]:
    """What can be changed by rule: all items with a figure; the run's own mutants of each benchmark."""
    figured = [(f"{b}/{i}", t) for b, named in questions.items() for i, t in named.items() if without_figures(t) != t]
    hit = caught([without_figures(text) for _, text in figured], [name for name, _ in figured], items)
    changed = [(kind, text) for named in questions.values() for kind, text in mutants(list(named.values()))]
    flags = _flagged([text for _, text in changed], items)

    def of(wanted: str) -> float:
        return _share(flag for flag, (kind, _) in zip(flags, changed, strict=True) if kind == wanted)

    return {
        "figureless_caught": _share(hit),
        "copies_caught": of("copied"),
        "wrapped_caught": of("wrapped"),
        "partly_changed_caught": of("partly_changed"),
        "halves_caught": of("halved"),
        "names_changed_caught": of("renamed"),
        "numbers_changed_caught": of("renumbered"),
        "spliced_hit": of("spliced"),
    }


def _retold() -> dict[str, float | int]:
    """What a card shows beside a benchmark's own mutants: exercises told in other words, and what is no telling."""

    def given(questions: Mapping[str, str], texts: Sequence[str]) -> list[set[str]]:
        return _given(texts, Items({TEMPLATES: questions}, np.zeros((len(questions), 0), np.float32)))

    return {
        f"{row['kind']}_{'hit' if row['kind'] in retold.CONTROLS else 'caught'}": row["caught"] / row["texts"]
        for row in retold.measured(given)
    }


def _flagged(texts: list[str], items: Items) -> list[bool]:
    return [bool(found) for found in _given(texts, items)]


def _given(texts: Sequence[str], items: Items) -> list[set[str]]:
    """The names of the items that each text gives away."""
    problems, names = _problems(list(texts)), [set[str]() for _ in texts]
    for rule, threshold in THRESHOLDS.items():
        found = matches(rule, problems, items, threshold)
        for k in np.flatnonzero(found.hits(threshold)).tolist():
            names[found.texts[k]].add(items.name[found.items[k]])
    return names


def _hits(rows: list[str], items: Items) -> tuple[set[int], set[int]]:
    """The rows that are hit, and those of them that are an item: they are no clean rows."""
    problems = _problems(rows)
    by_rule = dict[str, set[int]]()
    for rule, threshold in THRESHOLDS.items():
        found = matches(rule, problems, items, threshold)
        by_rule[rule] = set(found.texts[found.hits(threshold)].tolist())
        if rule == "ngram":
            word_for_word = set(found.texts[found.hits(TRULY_CONTAINED)].tolist())
    return set[int]().union(*by_rule.values()), by_rule["exact"] | (word_for_word & by_rule["alignment"])


def _problems(texts: list[str]) -> Problems:
    return Problems(pa.array(texts, pa.large_string()), np.zeros((len(texts), 0), np.float16))


def _questions(folder: Path, name: str, field: str) -> dict[str, str]:
    rows = _read(folder, name, field)
    return {str(number): text.split(INSTRUCTION)[0].strip() for number, text in enumerate(rows)}


def _read(folder: Path, name: str, field: str) -> list[str]:
    lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
    return [json.loads(line)[field] for line in lines]


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values)
