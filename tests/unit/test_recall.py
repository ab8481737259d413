"""Recall: a benchmark that became known after the release takes out the rows that give it away, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracemill.decontaminate.step import Decontaminate
from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.recipe import Recipe, parse_recipe
from tracemill.versions.scan import revocation_list, scanned

HASHING = {"kind": "hashing"}
LATE = "a ladder of 10 metres leans on a wall and its foot slides away at 2 metres a second; how fast does the top fall"
TEXTS = [f"take one {n} from {n + 3} and say what is left over" for n in range(3, 9)]


def recipe_for(tmp_path: Path) -> Recipe:
    rows = [{"q": text, "r": f"<think>hm</think>\n<answer>{k}</answer>"} for k, text in enumerate([*TEXTS, LATE])]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "known.jsonl").write_text(json.dumps({"q": "take one 3 from 6 and say what is left over"}))
    columns = {"prompt": "q", "response": "r"}
    source = {"kind": "jsonl", "name": "some", "path": str(tmp_path / "rows.jsonl"), "columns": columns}
    steps = {
        "sign": {"kind": "sign", "embedder": HASHING},
        "cluster": {"kind": "cluster"},
        "unique": {"kind": "unique"},
        "decontaminate": settings(tmp_path / "known.jsonl"),
        "rules": {"kind": "rules"},
        "select": {"kind": "select", "responses_per_problem": 1, "unverified": "keep"},
    }
    data = {"name": "small", "description": "x", "rows_per_shard": 3, "sources": [source], "steps": steps}
    return parse_recipe(data, "test")


def settings(path: Path, **fields: Any) -> dict[str, Any]:
    benchmark = {"name": path.stem, "path": str(path), "field": "q"}
    return {"kind": "decontaminate", "embedder": HASHING, "benchmarks": [benchmark], "embedding": None, **fields}


@pytest.fixture
def released(tmp_path: Path) -> tuple[Recipe, Store]:
    recipe, store = recipe_for(tmp_path), Store.at(str(tmp_path / "store"), create=True)
    for name, step in recipe.pipeline().items():
        for shard in range(1 if step.shape == "gather" else shard_count(store)):
            run_shard(recipe, store, name, shard, Resources(workers=1))
    return recipe, store


def late(tmp_path: Path, **fields: Any) -> Decontaminate:
    (tmp_path / "late.jsonl").write_text(json.dumps({"q": LATE.upper()}))
    return Decontaminate.model_validate(settings(tmp_path / "late.jsonl", **fields))


def test_what_is_released_is_revoked_with_its_responses(tmp_path: Path, released: tuple[Recipe, Store]) -> None:
    found = list(scanned(*released, late(tmp_path), Resources(workers=1)))
    revoked = revocation_list(found).to_pylist()
    assert [(row["problem_id"], row["shard"], row["reason"], row["item"]) for row in revoked] == [
        (problem_id(LATE), 2, "contaminated_exact", "late/0"),
    ]
    assert revoked[0]["generation_id"].startswith("g")
    assert sum(one.checked for one in found) == len(TEXTS)
    assert [one.shard for one in found] == [0, 1, 2]


def test_a_scan_writes_nothing(tmp_path: Path, released: tuple[Recipe, Store]) -> None:
    before = sorted(str(path) for path in (tmp_path / "store").rglob("*"))
    list(scanned(*released, late(tmp_path), Resources(workers=1)))
    assert sorted(str(path) for path in (tmp_path / "store").rglob("*")) == before


def test_what_was_turned_away_before_is_not_revoked_again(tmp_path: Path, released: tuple[Recipe, Store]) -> None:
    step = Decontaminate.model_validate(settings(tmp_path / "known.jsonl"))
    assert revocation_list(scanned(*released, step, Resources(workers=1))).num_rows == 0


def test_an_unfinished_release_and_another_embedder_are_refused(tmp_path: Path, released: tuple[Recipe, Store]) -> None:
    recipe, store = released
    other = late(tmp_path, embedder={"kind": "hashing", "dimensions": 64}, embedding=0.9)
    with pytest.raises(RecipeError, match="another embedder"):
        list(scanned(recipe, store, other, Resources(workers=1)))
    (tmp_path / "store" / "rules" / "00001.json").unlink()
    with pytest.raises(MissingInput, match="'rules' has not sealed shard 1"):
        list(scanned(recipe, store, late(tmp_path), Resources(workers=1)))
