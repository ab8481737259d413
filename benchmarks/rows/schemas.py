"""Rows in the schemas of published data sets, and what of them becomes problems.

`eurus_kept`: the share of Eurus-2-RL rows that are kept (all carry the index 0). `systems_merged`: questions that
became one problem though their system prompts differ. `twins_merged`: prompts that did, though letter case or white
space inside differs. `words_for_missing`: references that are a word for a missing value.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import parse_recipe

_EURUS = 500
_PAIRS = 100
_LANGUAGES = ("French", "German", "Welsh", "Finnish")


def figures() -> dict[str, float | int]:
    """The figures by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        eurus = _ingested(folder, "eurus_2_rl", [_eurus(k) for k in range(_EURUS)])
        systems = _ingested(folder, "dolphin_r1", [_greeting(k, one) for k in range(_PAIRS) for one in _LANGUAGES])
        twins = [{"q": q} for k in range(_PAIRS) for q in _twins(k)]
        apart = _ingested(folder, "jsonl", twins, columns={"prompt": "q"})
        references = _ingested(folder, "parquet", _frame(folder), columns={"prompt": "q", "reference_answer": "a"})
    return {
        "eurus_kept": len(eurus) / _EURUS,
        "systems_merged": _PAIRS * len(_LANGUAGES) - len(systems),
        "twins_merged": len(twins) - len(apart),
        "words_for_missing": sum(row["reference_answer"] in ("nan", "null", "NaT", "None") for row in references),
    }


def _ingested(folder: Path, kind: str, rows: list[dict[str, Any]] | Path, **settings: Any) -> list[dict[str, Any]]:
    """The problems that a source of that kind gives for the rows."""
    path = folder / f"{kind}.jsonl" if isinstance(rows, list) else rows
    if isinstance(rows, list):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    source = {"kind": kind, "name": "rows", "path": str(path), **settings}
    recipe = parse_recipe({"name": kind, "description": "", "sources": [source], "steps": {}}, "benchmark")
    store, machine = Store.at(str(folder / f"store-{kind}"), create=True), Resources(workers=1)
    run_shard(recipe, store, "plan", 0, machine)
    found: list[dict[str, Any]] = []
    for shard in range(shard_count(store)):
        tables = run_shard(recipe, store, "ingest", shard, machine).manifest.tables
        found += store.get_table(tables["problems"]).to_pylist()
    return found


def _eurus(number: int) -> dict[str, Any]:
    suffix = "\n\nPresent the answer in LaTex format: \\boxed{Your answer}"
    return {
        "data_source": "numina_olympiads",
        "prompt": [{"role": "user", "content": f"What is {number} + {number}?{suffix}"}],
        "ability": "math",
        "reward_model": {"ground_truth": str(2 * number), "style": "rule"},
        "extra_info": {"index": 0, "split": "dummy"},
    }


def _greeting(number: int, language: str) -> dict[str, Any]:
    turns = [("system", f"Translate into {language}."), ("user", f"Good morning, neighbour number {number}.")]
    messages = [{"role": role, "content": content} for role, content in turns]
    return {"messages": messages, "reasoning": "A greeting.", "answer": language, "model": "DeepSeek-R1"}


def _twins(number: int) -> tuple[str, ...]:
    letter = chr(ord("a") + number % 26)
    code = f"x = {number}\nif x > 3:\n    x += 1\n"
    return (
        f"Case {number}: what is the ASCII code of '{letter}'?",
        f"Case {number}: what is the ASCII code of '{letter.upper()}'?",
        f"{code}    print(x)",
        f"{code}print(x)",
    )


def _frame(folder: Path) -> Path:
    """Parquet as a data frame writes it: what is missing is NaN, or a word."""
    path = folder / "frame.parquet"
    numbers = [float(k) if k % 3 else float("nan") for k in range(_PAIRS)]
    pq.write_table(pa.table({"q": [f"What is {k}?" for k in range(_PAIRS)], "a": numbers}), path)
    return path
