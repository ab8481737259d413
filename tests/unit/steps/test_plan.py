"""Shard numbers keep their meaning while sources grow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracemill.errors import SourceError
from tracemill.recipe import Recipe
from tracemill.resources import Resources
from tracemill.runner import run_shard
from tracemill.shards import Store
from tracemill.steps.plan import planned


def write(path: Path, count: int, word: str = "plus") -> None:
    """So many rows; row n asks for n plus n."""
    path.write_text("".join(json.dumps({"q": f"{n} {word} {n}?"}) + "\n" for n in range(count)), encoding="utf-8")


def recipe(folder: Path, *names: str, **settings: object) -> Recipe:
    """A recipe with one source per name, three rows a shard."""
    sources = [
        {"kind": "jsonl", "name": name, "path": str(folder / f"{name}.jsonl"), "columns": {"prompt": "q"}, **settings}
        for name in names
    ]
    return Recipe.model_validate({"name": "r", "description": "", "rows_per_shard": 3, "sources": sources, "steps": {}})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.at(str(tmp_path / "store"), create=True)


def shards(store: Store) -> list[str]:
    """The plan in words, shard by shard."""
    return [f"{part.source}:{part.start}-{part.stop}" for part in planned(store)]


def test_each_shard_holds_rows_of_one_source(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 4)
    write(tmp_path / "b.jsonl", 2)
    run_shard(recipe(tmp_path, "a", "b"), store, "plan", 0, Resources())
    assert shards(store) == ["a:0-3", "a:3-4", "b:0-2"]


def test_new_rows_get_new_numbers_and_old_shards_are_not_read_again(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 4)
    write(tmp_path / "b.jsonl", 2)
    made = recipe(tmp_path, "a", "b")
    run_shard(made, store, "plan", 0, Resources())
    old = [run_shard(made, store, "ingest", shard, Resources()).manifest for shard in range(3)]
    write(tmp_path / "a.jsonl", 6)
    assert not run_shard(made, store, "plan", 0, Resources()).reused
    assert shards(store) == ["a:0-3", "a:3-4", "b:0-2", "a:4-6"]
    again = [run_shard(made, store, "ingest", shard, Resources()) for shard in range(4)]
    assert [result.reused for result in again] == [True, True, True, False]
    assert [result.manifest for result in again[:3]] == old


def test_an_unchanged_source_is_not_planned_again(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 4)
    run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    assert run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources()).reused


def test_changed_rows_make_their_own_shard_anew(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 6)
    run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    for shard in range(2):
        run_shard(recipe(tmp_path, "a"), store, "ingest", shard, Resources())
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8").replace("5 plus 5", "5 plus 6")
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    results = [run_shard(recipe(tmp_path, "a"), store, "ingest", shard, Resources()) for shard in range(2)]
    assert [result.reused for result in results] == [True, False]


def test_settings_of_one_source_do_not_touch_another(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 2)
    write(tmp_path / "b.jsonl", 2)
    before = recipe(tmp_path, "a", "b")
    run_shard(before, store, "plan", 0, Resources())
    for shard in range(2):
        run_shard(before, store, "ingest", shard, Resources())
    sources = [before.sources[0].model_copy(update={"license": "MIT"}), before.sources[1]]
    after = before.model_copy(update={"sources": tuple(sources)})
    run_shard(after, store, "plan", 0, Resources())
    results = [run_shard(after, store, "ingest", shard, Resources()) for shard in range(2)]
    assert [result.reused for result in results] == [False, True]
    assert shards(store) == ["a:0-2", "b:0-2"]


def test_a_source_that_shrank_stops_instead_of_deleting_rows(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 5)
    run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    write(tmp_path / "a.jsonl", 4)
    with pytest.raises(SourceError, match="has 4 rows now and had 5"):
        run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    assert shards(store) == ["a:0-3", "a:3-5"]


def test_going_back_to_an_older_state_is_shrinking_too(tmp_path: Path, store: Store) -> None:
    for count in (3, 5):
        write(tmp_path / "a.jsonl", count)
        run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    assert run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources()).reused
    write(tmp_path / "a.jsonl", 3)
    with pytest.raises(SourceError, match="has 3 rows now and had 5"):
        run_shard(recipe(tmp_path, "a"), store, "plan", 0, Resources())
    assert shards(store) == ["a:0-3", "a:3-5"]


def test_two_sources_of_one_name_are_refused(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 1)
    with pytest.raises(SourceError, match="source names must differ"):
        run_shard(recipe(tmp_path, "a", "a"), store, "plan", 0, Resources())
