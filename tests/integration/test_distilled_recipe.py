"""A whole recipe that verifies, distils, verifies again, judges and releases, on a fake server: the pieces fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.build.shard import AT
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe

MODEL: dict[str, Any] = {"name": "tiny", "weights": "org/tiny", "revision": "abc"}
CRITIC = {**MODEL, "name": "critic"}
VERIFY = {"kind": "verify", "verifiers": [{"kind": "math"}]}
STEPS: dict[str, Any] = {
    "annotate": {"kind": "annotate", "labeller": {"model": CRITIC}},
    "rules_existing": {"kind": "rules", "styles": ["am"]},
    "verify_existing": VERIFY,
    "distill": {"kind": "distill", "teacher": {"kind": "chat", "model": MODEL, "directives": {}}},
    "rules": {"kind": "rules", "styles": ["am"]},
    "verify_math": {**VERIFY, "defer": True},
    "judge": {"kind": "judge", "judge": {"kind": "correctness", "model": CRITIC}},
    "select": {"kind": "select"},
}
ROWS = [
    {"q": "one plus one?", "gold": "2", "old": "<think>a</think>\n<answer>\\boxed{2}</answer>"},
    {"q": "two plus two?", "gold": "4", "old": "<think>b</think>\n<answer>\\boxed{5}</answer>"},
    {"q": "three plus three?", "gold": "6", "old": None},
    {"q": "four plus four?", "gold": "8", "old": None},
]


def say(prompt: str, seed: int) -> str:
    """The teacher is right about two and three, and says "eight" in words for four; the critic believes words."""
    if "You are an evaluation expert" in prompt:
        return '{"correctness": "5",}' if "eight" in prompt else '{"correctness": "1",}'
    if "difficulty level" in prompt:
        return '{"difficulty": "easy"}'
    if "all_task_tags" in prompt:
        return '{"primary_tag": "Math", "other_tags": []}'
    answer = {"two": "\\boxed{4}", "three": "\\boxed{6}", "four": "\\boxed{x}, that is eight"}[prompt.split()[0]]
    return f"<think>\nadding up\n</think>\n<answer>\n{answer}\n</answer>"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    columns = {"prompt": "q", "reference_answer": "gold", "response": "old"}
    source = {"kind": "jsonl", "name": "sums", "path": str(rows), "category": "math", "columns": columns}
    data = {"name": "sums", "description": "Four sums.", "sources": [source], "steps": STEPS}
    (tmp_path / "sums.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return load_recipe(str(tmp_path / "sums.yaml"))


def run(recipe: Recipe, store: Store, server: FakeServer) -> None:
    machine = Resources(workers=1, environment={ENDPOINTS: AT}, transport=server)
    for stage in recipe.pipeline():
        shards = [0] if recipe.step(stage).shape == "gather" else range(shard_count(store))
        for shard in shards:
            run_shard(recipe, store, stage, shard, machine)


def table(store: Store, stage: str, name: str) -> list[dict[str, Any]]:
    manifest = store.manifest(stage, 0)
    assert manifest
    rows: list[dict[str, Any]] = store.get_table(manifest.tables[name]).to_pylist()
    return rows


def test_good_responses_stay_bad_ones_are_replaced_and_the_judge_has_the_last_word(
    tmp_path: Path, recipe: Recipe
) -> None:
    store, server = Store.at(str(tmp_path / "store"), create=True), FakeServer(say=say)
    run(recipe, store, server)
    prompts = {row["id"]: row["prompt"].split()[0] for row in table(store, "ingest", "problems")}
    assert sorted(prompts[t["problem_id"]] for t in table(store, "distill", "generations")) == ["four", "three", "two"]
    verified_again = table(store, "verify_math", "verdicts")
    assert sorted(prompts[v["problem_id"]] for v in verified_again) == ["four", "three", "two"]
    assert [prompts[v["problem_id"]] for v in table(store, "judge", "verdicts")] == ["four"]
    selected = {prompts[row["problem_id"]]: row["verifier"] for row in table(store, "select", "selected")}
    assert selected == {"one": "math", "two": "math", "three": "math", "four": "correctness:critic"}


def test_a_second_run_asks_nothing(tmp_path: Path, recipe: Recipe) -> None:
    store, server = Store.at(str(tmp_path / "store"), create=True), FakeServer(say=say)
    run(recipe, store, server)
    asked = len(server.requests)
    run(recipe, store, server)
    assert len(server.requests) == asked
