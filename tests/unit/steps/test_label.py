"""Labels of a shard: one row per living problem, in order, with what the source says."""

from __future__ import annotations

from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.recipe import Recipe


def test_every_problem_is_labelled_and_kept(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "r",
            "description": "",
            "sources": [{"kind": "demo", "name": "d", "part": "chinese", "category": "math", "limit": 30}],
            "steps": {"label": {"kind": "label"}},
        }
    )
    store = Store.at(str(tmp_path), create=True)
    for step in ("plan", "ingest", "label"):
        manifest = run_shard(recipe, store, step, 0, Resources()).manifest
    labels = store.get_table(manifest.tables["labels"]).to_pylist()
    problems = store.get_table(store.manifest("ingest", 0).tables["problems"]).to_pylist()  # type: ignore[union-attr]
    assert [row["problem_id"] for row in labels] == [row["id"] for row in problems]
    assert manifest.counts.kept == len(problems) > 20
    assert {(row["language"], row["category"]) for row in labels} == {("zh", "math")}
    assert [row["difficulty"] for row in labels] == [row["difficulty"] for row in problems]
    assert all(row["tokens"] >= row["words"] > 5 for row in labels)
