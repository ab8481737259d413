"""A recipe of which a test plans the shards: three rows each."""

from __future__ import annotations

from pathlib import Path

from tracemill.recipe import Recipe


def recipe(folder: Path, *names: str, **settings: object) -> Recipe:
    """A recipe with one source per name, three rows a shard."""
    given = {"kind": "jsonl", "columns": {"prompt": "q"}}
    sources = [{**given, "name": name, "path": str(folder / f"{name}.jsonl"), **settings} for name in names]
    return Recipe.model_validate({"name": "r", "description": "", "rows_per_shard": 3, "sources": sources, "steps": {}})
