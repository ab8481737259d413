"""A small recipe whose traces a fake teacher writes, run on a store of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe
from tracemill.versions.versions import Published, seal_version

AT = {ENDPOINTS: '{"tiny": [{"url": "http://fake", "model": "tiny"}]}'}


@dataclass
class Distilled:
    """The recipe of `problems` below a folder. `run` runs all of it and returns what the teacher was asked."""

    folder: Path
    problems: tuple[str, ...] = ("one apple", "two boats", "three chairs", "four drums")
    settings: dict[str, Any] = field(default_factory=dict)
    price: dict[str, float] | None = None

    @property
    def store(self) -> Store:
        return Store.at(str(self.folder / "store"), create=True)

    @property
    def recipe(self) -> Recipe:
        rows = [json.dumps({"q": text}) + "\n" for text in self.problems]
        (self.folder / "rows.jsonl").write_text("".join(rows))
        model: dict[str, Any] = {"name": "tiny", "weights": "org/tiny", "revision": "abc"}
        if self.price:
            model = {"name": "tiny", "api": {"url": "http://fake/v1", "model": "tiny", "price": self.price}}
        source = {"kind": "jsonl", "name": "some", "path": str(self.folder / "rows.jsonl"), "columns": {"prompt": "q"}}
        described = {
            "name": "small",
            "description": "Problems that a fake teacher answers",
            "rows_per_shard": 2,
            "sources": [source],
            "steps": {
                "distill": {"kind": "distill", "teacher": {"kind": "chat", "model": model}},
                "rules": {"kind": "rules", **self.settings},
                "select": {"kind": "select", "unverified": "keep"},
                "release": {"kind": "release"},
            },
        }
        (self.folder / "small.yaml").write_text(yaml.safe_dump(described))
        return load_recipe(str(self.folder / "small.yaml"))

    def machine(self, server: FakeServer | None = None) -> Resources:
        return Resources(workers=1, environment=AT, transport=server or FakeServer())

    def run(self, server: FakeServer | None = None) -> list[str]:
        """Run every shard; returns the prompts that were asked for an answer."""
        teacher = server or FakeServer()
        recipe, store, machine = self.recipe, self.store, self.machine(teacher)
        for name, step in recipe.pipeline().items():
            shards = range(shard_count(store)) if step.shape == "map" else range(1)
            for shard in shards:
                run_shard(recipe, store, name, shard, machine)
        return sorted({asked["messages"][0]["content"].split("\n")[0] for asked in teacher.generated})

    def publish(self) -> Published:
        return seal_version(self.recipe, self.store, self.machine(), "publish")

    def reason(self, step: str, shard: int) -> list[tuple[str, str | None]]:
        """Buckets and reasons of one shard's ledger."""
        manifest = self.store.manifest(step, shard)
        assert manifest
        rows = self.store.get_table(manifest.tables["ledger"]).to_pylist()
        return [(row["bucket"], row["reason"]) for row in rows]
