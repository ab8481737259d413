"""Small recipes over JSON Lines written by a test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe

COLUMNS = {"prompt": "q", "reference_answer": "a", "response": "r", "teacher": "t"}


class Trial:
    """A recipe over the given sources (name → rows of q, a, r, t), run to its end."""

    def __init__(
        self, folder: Path, sources: Mapping[str, Sequence[dict[str, Any]]], steps: Mapping[str, Any], **columns: str
    ) -> None:
        given = []
        for name, rows in sources.items():
            blank = dict.fromkeys(("q", "a", "r", "t"))
            lines = [json.dumps(blank | row, ensure_ascii=False) for row in rows]
            (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
            mapped = {"columns": COLUMNS | columns, "path": str(folder / f"{name}.jsonl")}
            given.append({"kind": "jsonl", "name": name, **mapped})
        self.recipe = Recipe.model_validate({"name": "r", "description": "", "sources": given, "steps": steps})
        self.store = Store.at(str(folder / "store"), create=True)

    def run(self) -> Trial:
        """Seal every shard of every step."""
        for name, step in self.recipe.pipeline().items():
            for shard in range(1 if step.shape == "gather" else shard_count(self.store)):
                run_shard(self.recipe, self.store, name, shard, Resources(workers=1))
        return self

    def rows(self, step: str, table: str) -> list[dict[str, Any]]:
        """A step's table over all of its shards."""
        found = (self.store.manifest(step, shard) for shard in range(shard_count(self.store)))
        return [row for m in found if m for row in self.store.get_table(m.tables[table]).to_pylist()]

    def endings(self, step: str) -> dict[str, tuple[str, str | None]]:
        """Bucket and reason of each problem that entered the step, by its text."""
        prompts = {row["id"]: row["prompt"] for row in self.rows("ingest", "problems")}
        return {prompts[row["id"]]: (row["bucket"], row["reason"]) for row in self.rows(step, "ledger")}
