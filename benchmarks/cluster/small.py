"""A small recipe of one's own, as a user drops it into the folder of recipes: sums and programs, right and wrong.

Some programs never end, so that the stage that runs them takes a while; a worker can be killed in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

NAME = "small_cluster"
PROGRAMS = "run_programs"  # a name of its own: the recipe gets a DAG with its own stages alone
DAG = f"reasoning_distillation_{NAME}"
ENDLESS = 3  # programs that take their whole time limit
_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana")
_THINGS = ("apples", "boats", "chairs", "drums", "eggs", "flutes")


def write(recipes: Path, data: Path) -> Path:
    """Write the recipe into one folder and its rows into the other; returns the recipe's file."""
    rows = [*_sums(24), *_programs(8)]
    (data / "small.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = recipes / f"{NAME}.yaml"
    file.write_text(yaml.safe_dump(_recipe(), sort_keys=False), encoding="utf-8")
    return file


def _recipe() -> dict[str, Any]:
    columns = {name: name for name in ("prompt", "id", "reference_answer", "category", "response")}
    source = {"kind": "jsonl", "name": "small", "path": "${TRACEMILL_DATA}/small.jsonl", "license": "MIT"}
    return {
        "name": NAME,
        "description": "Sums and programs that a test makes.",
        "rows_per_shard": 16,
        "sources": [{**source, "columns": {**columns, "test_case": "tests"}}],
        "steps": {
            "rules": {"kind": "rules", "styles": ["am"]},
            "check_sums": {"kind": "verify", "verifiers": [{"kind": "math"}]},
            PROGRAMS: {"kind": "verify", "verifiers": [{"kind": "code"}]},
            "select": {"kind": "select", "unverified": "drop"},
            "release": {"kind": "release", "file": "train", "title": "a small release"},
        },
    }


def _sums(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        who, what = _NAMES[n % len(_NAMES)], _THINGS[n % len(_THINGS)]
        prompt = f"{who} has {3 * n + 11} {what} and finds {n + 2} more. How many {what} has {who} now?"
        answer = 4 * n + 13
        said = answer + (n % 4 == 0)
        yield {
            "id": f"sum-{n}",
            "prompt": prompt,
            "reference_answer": str(answer),
            "category": "math",
            "response": _traced(f"{3 * n + 11} and {n + 2} make {said}.", f"The answer is \\boxed{{{said}}}."),
            "tests": None,
        }


def _programs(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        body = "while True: pass" if n < ENDLESS else f"return x * {n + 2} + {n % 2}"
        program = f"```python\ndef scaled_{n}(x):\n    {body}\n```"
        yield {
            "id": f"program-{n}",
            "prompt": f"Write a Python function scaled_{n}(x) that multiplies x by {n + 2} and gives the product back.",
            "reference_answer": None,
            "category": "code",
            "response": _traced(f"Multiply by {n + 2}.", program),
            "tests": [f"assert scaled_{n}({x}) == {x * (n + 2)}" for x in (1, 5, 12)],
        }


def _traced(thought: str, answer: str) -> str:
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"
