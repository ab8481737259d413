"""What an evaluation would ask is said before it is asked: each step of its own benchmarks, with its own samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.local.estimate import estimated
from tracemill.recipe import parse_recipe


def benchmark(folder: Path, name: str, items: int) -> dict[str, Any]:
    """A benchmark of so many items."""
    path = folder / f"{name}.jsonl"
    path.write_text(
        "".join(json.dumps({"q": f"{name}: what is {n} + 1?", "a": str(n + 1)}) + "\n" for n in range(items))
    )
    columns = {"prompt": "q", "reference_answer": "a"}
    return {"kind": "benchmark", "name": name, "path": str(path), "columns": columns}


def sampled(source: str, samples: int) -> dict[str, Any]:
    """A step that asks for a source's items so often."""
    model = {"name": "student", "weights": "org/student", "revision": "abc"}
    teacher = {"kind": "chat", "samples": samples, "model": model}
    return {"kind": "distill", "problems": "all", "sources": [source], "teacher": teacher}


def test_a_step_asks_for_the_items_of_its_sources_alone(tmp_path: Path) -> None:
    sources = [benchmark(tmp_path, "hard", 30), benchmark(tmp_path, "easy", 50)]
    steps = {"often": sampled("hard", 64), "seldom": sampled("easy", 4)}
    recipe = parse_recipe({"name": "r", "description": "", "sources": sources, "steps": steps}, "r")
    found = estimated(recipe, None, Resources(workers=1))
    assert {one.stage: one.requests for one in found.asking} == {"often": 30 * 64, "seldom": 50 * 4}
