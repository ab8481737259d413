"""A recipe of two shards that a served teacher answers, and the machine on which a fake one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.build.shard import AT, MODEL
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe

MACHINE = Resources(workers=1, environment={ENDPOINTS: AT}, transport=FakeServer())


def written(tmp_path: Path, limit: int = 10, samples: int = 1, **more: Any) -> Recipe:
    """The recipe's file, read; `more` are further steps."""
    teacher = {"kind": "chat", "model": MODEL, "samples": samples}
    data = {
        "name": "served",
        "description": "Two shards to distil.",
        "rows_per_shard": 5,
        "sources": [{"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math", "limit": limit}],
        "steps": {"label": {"kind": "label"}, "distill": {"kind": "distill", "teacher": teacher}, **more},
    }
    path = tmp_path / "served.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return load_recipe(str(path))


def sealed(recipe: Recipe, store: Store, stages: tuple[str, ...], shards: tuple[int, ...] = (0, 1)) -> None:
    """Seal the plan and these shards of these stages."""
    run_shard(recipe, store, "plan", 0, MACHINE)
    for stage in stages:
        for shard in shards:
            run_shard(recipe, store, stage, shard, MACHINE)
