"""A recipe of two teachers that are asked until one of their responses passes, each with a pilot that forecasts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.build.answering import OPEN, solving
from tests.build.several import Servers
from tracemill.engine.resources import Resources
from tracemill.recipe import Recipe, parse_recipe

PRICE = {"input": 2.0, "output": 10.0, "currency": "EUR"}


def forecasting(
    folder: Path,
    price: dict[str, Any] | None = None,
    pilots: tuple[str, ...] = ("dear", "cheap"),
    hour: dict[str, Any] | None = None,
    *,
    batch: bool = False,
) -> Recipe:
    """Two teachers with a pilot each, on some of the demo's problems; the dear one has a price, the other one of an
    `hour` of its server. `batch`: the dear one is asked in batches.
    """
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in list(OPEN.values())[:60]))
    columns = {"prompt": "prompt", "reference_answer": "reference_answer", "category": "category"}
    source = {"kind": "jsonl", "name": "open", "path": str(folder / "rows.jsonl"), "columns": columns}
    at = {"url": "http://dear/v1", "model": "dear", "price": price, "batch": batch}
    own = {"name": "cheap", "weights": "org/cheap", "revision": "a", "serve": {"price": hour} if hour else {}}
    models = {"dear": {"name": "dear", "api": at}, "cheap": own}
    policy = {"kind": "until_pass", "max": 4, "verifiers": [{"kind": "math"}]}
    steps: dict[str, Any] = {}
    for name in pilots:
        teacher = {"kind": "chat", "model": models[name], "policy": policy}
        tried = {"kind": "pilot", "problems": 30, "teacher": teacher, "forecast": {"problems": "all"}}
        steps |= {f"pilot_{name}": tried, f"distill_{name}": {"kind": "distill", "problems": "all", "teacher": teacher}}
    steps |= {"verify": {"kind": "verify", "verifiers": [{"kind": "math"}]}, "select": {"kind": "select"}}
    steps |= {"release": {"kind": "release"}}
    said = {"name": "forecast", "description": "", "rows_per_shard": 20, "sources": [source], "steps": steps}
    return parse_recipe(said, "here")


def machine() -> Resources:
    """Both teachers answer already; the dear one is right more often."""
    return Servers({"dear": solving(3), "cheap": solving(1)}).machine()
