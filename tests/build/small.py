"""A small recipe over one JSON Lines file that tests let grow, shrink and change; problems are known by text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.recipe import Recipe, load_recipe
from tracemill.versions.refresh import Refreshed, refresh
from tracemill.versions.versions import Version

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ida", "Jon"]
THINGS = ["apples", "boats", "chairs", "drums", "eggs", "flutes", "globes", "hats", "inks", "jars"]
LEAK = "a ladder of 10 metres leans on a wall and its foot slides away at 2 metres a second; how fast does the top fall"
ONE = Resources(workers=1)


def text(number: int) -> str:
    """A problem that is like no other one."""
    who, what = NAMES[number % 10], THINGS[number // 10 % 10]
    return f"{who} has {number + 7} {what} and gives {number + 2} of them to a friend, how many {what} are left"


@dataclass(frozen=True)
class Small:
    """A folder with a source, a recipe and a store. Rows are written as the texts of problems."""

    folder: Path

    @property
    def recipe_file(self) -> Path:
        return self.folder / "small.yaml"

    @property
    def recipe(self) -> Recipe:
        return load_recipe(str(self.recipe_file))

    @property
    def root(self) -> Path:
        return self.folder / "store"

    @property
    def store(self) -> Store:
        return Store.at(str(self.root))

    def write(self, texts: Sequence[str], column: str = "q") -> None:
        """The source's rows; each has one response."""
        rows = [{column: q, "r": f"<think>count</think>\n<answer>{len(q)}</answer>"} for q in texts]
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def benchmark(self, name: str, *questions: str) -> Path:
        """A benchmark file with these questions."""
        path = self.folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"question": q}) + "\n" for q in questions))
        return path

    def describe(self, **steps: dict[str, Any]) -> None:
        """Write the recipe; `steps` replace the settings of steps."""
        source = {
            "kind": "jsonl",
            "name": "some",
            "path": str(self.folder / "rows.jsonl"),
            "columns": {"prompt": "q", "response": "r"},
        }
        every: dict[str, Any] = {
            "sign": {"kind": "sign", "embedder": {"kind": "hashing"}},
            "cluster": {"kind": "cluster"},
            "unique": {"kind": "unique"},
            "rules": {"kind": "rules"},
            "select": {"kind": "select", "unverified": "keep"},
            "release": {"kind": "release"},
        }
        data = {"name": "small", "description": "x", "rows_per_shard": 10, "sources": [source], "steps": every | steps}
        self.recipe_file.write_text(yaml.safe_dump(data, sort_keys=False))

    def refresh(self, anyway: bool = False) -> Refreshed:
        return refresh(self.recipe, str(self.root), ONE, Console(file=StringIO()), anyway)

    def released(self, version: Version) -> set[str]:
        """The problem ids of a version."""
        return set(self.store.get_table(version.files["metadata.parquet"], ["problem_id"])["problem_id"].to_pylist())

    def changes(self, version: Version) -> list[dict[str, Any]]:
        """The lines of a version's diff."""
        rows: list[dict[str, Any]] = self.store.get_table(version.changes).to_pylist()
        return rows


def ids(texts: Sequence[str]) -> set[str]:
    """The problem ids of texts."""
    return {problem_id(one) for one in texts}


def small(folder: Path, texts: Sequence[str]) -> Small:
    """A small recipe whose source has these rows."""
    made = Small(folder)
    made.write(texts)
    made.describe()
    return made
