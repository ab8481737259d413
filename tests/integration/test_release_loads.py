"""A published release loads with `datasets.load_dataset` from disk, offline, and says the same everywhere."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store, file_digest
from tracemill.recipe import Recipe, parse_recipe
from tracemill.report.publish import publish

PARTS = ("maths", "chinese", "code")
RECIPE = {
    "name": "loads",
    "description": "Maths, Chinese and code: rows without tests come long before rows with tests.",
    "rows_per_shard": 300,
    "sources": [{"kind": "demo", "name": f"demo_{part}", "part": part, "license": "Apache-2.0"} for part in PARTS],
    "steps": {
        "label": {"kind": "label"},
        "select": {"kind": "select", "unverified": "keep", "responses_per_problem": 3},
        "release": {"kind": "release", "title": "Loads"},
    },
}

# Run in a process of its own, because `datasets` reads its settings when it is imported.
LOADER = """
import json, sys
from datasets import load_dataset
folder, cache = sys.argv[1:]
named = {
    "folder": load_dataset(folder, split="train", cache_dir=cache),
    "by name": load_dataset(folder, "train", split="train", cache_dir=cache),
    "streamed": load_dataset(folder, split="train", streaming=True, cache_dir=cache),
    "parquet": load_dataset("parquet", data_files=f"{folder}/train.parquet", split="train", cache_dir=cache),
    "bare json": load_dataset("json", data_files=f"{folder}/train.jsonl.zst", split="train", cache_dir=cache),
}
metadata = load_dataset("parquet", data_files=f"{folder}/metadata.parquet", split="train", cache_dir=cache)
rows = {name: [json.dumps(row, sort_keys=True) for row in found] for name, found in named.items()}
print(json.dumps({"equal": {name: found == rows["folder"] for name, found in rows.items()},
                  "rows": rows["folder"], "metadata": metadata.num_rows, "columns": metadata.column_names}))
"""


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return parse_recipe(RECIPE, "loads")


def released(recipe: Recipe, folder: Path, order: int = 1) -> Path:
    """Run the recipe below `folder` (`order` -1: shards backwards, as a cluster might) and publish its release."""
    store = Store.at(str(folder / "store"), create=True)
    for name, step in recipe.pipeline().items():
        shards = list(range(shard_count(store))) if step.shape == "map" else [0]
        for index in shards[::order]:
            run_shard(recipe, store, name, index, Resources(workers=1))
    return publish(store, folder / "release")


@pytest.fixture(scope="module")
def release(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return released(recipe, tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def written(release: Path) -> list[Any]:
    with (release / "train.jsonl.zst").open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, encoding="utf-8")]


def test_load_dataset_reads_every_form_of_it_offline(release: Path, written: list[Any], tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port: a request fails at once instead of leaving the machine
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere}
    command = [sys.executable, "-c", LOADER, str(release), str(tmp_path / "cache")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["equal"] == dict.fromkeys(["folder", "by name", "streamed", "parquet", "bare json"], True)
    assert found["rows"] == [json.dumps(row, sort_keys=True) for row in written]
    assert found["metadata"] == len(written) > 1000
    assert {"row", "problem_id", "generation_id", "license", "verdicts", "contamination"} <= set(found["columns"])


def test_every_row_keeps_the_rules_of_the_published_layout(written: list[Any]) -> None:
    user_keys = ["source", "reference_answer", "test_case", "think_content", "answer_content"]
    assistant_keys = ["source", "think_content", "answer_content", "reference_answer", "test_case"]
    for row in written:
        user, assistant = row["messages"]
        assert [list(row), list(user), list(assistant)] == [["messages"], *[["role", "content", "info"]] * 2]
        assert [user["role"], assistant["role"]] == ["user", "assistant"]
        assert [list(user["info"]), list(assistant["info"])] == [user_keys, assistant_keys]
        info = assistant["info"]
        content = f"<think>{info['think_content']}</think>\n<answer>{info['answer_content']}</answer>"
        assert assistant["content"] == content
        assert info["think_content"].strip()
        assert info["answer_content"].strip()
        assert [user["info"]["think_content"], user["info"]["answer_content"]] == [None, None]
        assert [info["reference_answer"], info["test_case"]] == [None, None]
    assert any(row["messages"][0]["info"]["test_case"] for row in written)
    assert any(row["messages"][0]["info"]["reference_answer"] for row in written)


def test_metadata_and_data_agree_row_by_row(release: Path, written: list[Any]) -> None:
    metadata = pq.read_table(release / "metadata.parquet").to_pylist()

    assert [row["row"] for row in metadata] == list(range(len(written)))
    assert len({row["generation_id"] for row in metadata}) == len(written)
    for about, row in zip(metadata, written, strict=True):
        assert about["source"] == row["messages"][0]["info"]["source"]
        assert about["response_source"] == row["messages"][1]["info"]["source"]


def test_another_store_and_another_order_give_the_same_bytes(recipe: Recipe, release: Path, tmp_path: Path) -> None:
    again = released(recipe, tmp_path, order=-1)

    def digests(folder: Path) -> dict[str, str]:
        return {str(p.relative_to(folder)): file_digest(p) for p in folder.rglob("*") if p.is_file()}

    assert digests(again) == digests(release)
