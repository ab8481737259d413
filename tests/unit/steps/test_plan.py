"""Shard numbers keep their meaning while sources grow."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.build.planned import recipe
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import SourceError
from tracemill.ingest.plan import planned
from tracemill.recipe import Recipe


def write(path: Path, count: int, word: str = "plus") -> None:
    """So many rows; row n asks for n plus n."""
    path.write_text("".join(json.dumps({"q": f"{n} {word} {n}?"}) + "\n" for n in range(count)), encoding="utf-8")


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
    with pytest.raises(SourceError, match=r"a.jsonl has 4 rows now and had 5.*--accept-removed '.*a.jsonl=1'"):
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


def folder_recipe(folder: Path, **settings: object) -> Recipe:
    """A recipe over all files of a folder, three rows a shard."""
    return recipe(folder, "all", path=str(folder / "*.jsonl"), **settings)


def ingested(made: Recipe, store: Store) -> list[bool]:
    """Plan and ingest everything; whether each shard was sealed before."""
    run_shard(made, store, "plan", 0, Resources())
    return [run_shard(made, store, "ingest", shard, Resources()).reused for shard in range(len(planned(store)))]


def places(store: Store, folder: Path) -> list[str]:
    """Where each shard's rows lie now, and under which name they were first planned where that is another one."""
    prefix = f"{folder}/"
    return [
        f"{part.file.removeprefix(prefix)}:{part.start}-{part.stop}"
        + (f" as {part.named.removeprefix(prefix)}" if part.named != part.file else "")
        for part in planned(store)
    ]


def test_a_renamed_file_makes_no_shard_anew(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 5)
    write(tmp_path / "b.jsonl", 4, "and")
    made = folder_recipe(tmp_path)
    assert ingested(made, store) == [False] * 4
    (tmp_path / "a.jsonl").rename(tmp_path / "z.jsonl")
    assert ingested(made, store) == [True] * 4
    assert places(store, tmp_path) == [
        "z.jsonl:0-3 as a.jsonl", "z.jsonl:3-5 as a.jsonl", "b.jsonl:0-3", "b.jsonl:3-4",
    ]  # fmt: skip
    write(tmp_path / "z.jsonl", 7)  # it grows under its new name, and its rows keep the old one
    assert ingested(made, store) == [True] * 4 + [False]
    assert places(store, tmp_path)[4] == "z.jsonl:5-7 as a.jsonl"


def test_files_that_move_up_by_one_are_known_by_what_they_hold(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "log.0.jsonl", 4, "new")
    write(tmp_path / "log.1.jsonl", 5, "old")
    made = folder_recipe(tmp_path)
    ingested(made, store)
    for number in (1, 0):
        (tmp_path / f"log.{number}.jsonl").rename(tmp_path / f"log.{number + 1}.jsonl")
    write(tmp_path / "log.0.jsonl", 2, "newest")
    assert ingested(made, store) == [True] * 4 + [False]
    found = places(store, tmp_path)
    assert found[0] == "log.1.jsonl:0-3 as log.0.jsonl"
    assert found[4].startswith("log.0.jsonl:0-2 as log.0.jsonl@")  # the name is taken by the rows that moved


def test_a_packed_copy_of_a_file_goes_on_where_it_was(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 5)
    made = recipe(tmp_path, "all", path=str(tmp_path / "a.*"))
    ingested(made, store)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    (tmp_path / "a.jsonl").unlink()
    assert ingested(made, store) == [True] * 2


def test_a_file_that_lost_rows_stops_the_plan_also_when_another_one_grew(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 7)
    write(tmp_path / "b.jsonl", 2, "and")
    made = folder_recipe(tmp_path)
    ingested(made, store)
    write(tmp_path / "a.jsonl", 2)
    write(tmp_path / "b.jsonl", 60, "and")
    with pytest.raises(SourceError, match="has 2 rows now and had 7") as caught:
        ingested(made, store)
    assert f"--accept-removed '{tmp_path}/a.jsonl=5'" in str(caught.value)
    assert len(planned(store)) == 4


def test_a_deletion_is_accepted_by_name_and_count_and_keeps_the_other_shards(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 7)
    write(tmp_path / "b.jsonl", 2, "and")
    made = folder_recipe(tmp_path)
    ingested(made, store)
    write(tmp_path / "a.jsonl", 2)
    name = str(tmp_path / "a.jsonl")
    for wrong in ({}, {name: 4}, {"a.jsonl": 5}):
        with pytest.raises(SourceError):
            run_shard(made, store, "plan", 0, Resources(accept_removed=wrong))
    plan = run_shard(made, store, "plan", 0, Resources(accept_removed={name: 5})).manifest
    assert plan.made_with == {"removed": {name: 5}}
    # Places without rows stay, so that the shards behind them keep their numbers.
    assert places(store, tmp_path) == ["a.jsonl:0-2", "a.jsonl:3-3", "a.jsonl:6-6", "b.jsonl:0-2"]
    assert ingested(made, store) == [False, False, False, True]
    assert [run_shard(made, store, "ingest", k, Resources()).manifest.counts.entered for k in range(4)] == [2, 0, 0, 2]
    (tmp_path / "b.jsonl").unlink()
    with pytest.raises(SourceError, match=r"b.jsonl has 0 rows now and had 2"):
        ingested(made, store)
    write(tmp_path / "b.jsonl", 2, "and")
    write(tmp_path / "a.jsonl", 7)  # the rows come back to their places
    assert ingested(made, store) == [True] * 4 + [False]
    assert places(store, tmp_path)[1:3] == ["a.jsonl:3-6", "a.jsonl:6-7"]


def test_a_limit_gives_what_was_planned_before_first(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 3)
    write(tmp_path / "b.jsonl", 9, "and")
    made = folder_recipe(tmp_path, limit=6)
    ingested(made, store)
    write(tmp_path / "a.jsonl", 9)
    assert ingested(made, store) == [True] * 2
    assert places(store, tmp_path) == ["a.jsonl:0-3", "b.jsonl:0-3"]


def test_two_sources_of_one_name_are_refused(tmp_path: Path, store: Store) -> None:
    write(tmp_path / "a.jsonl", 1)
    with pytest.raises(SourceError, match="source names must differ"):
        run_shard(recipe(tmp_path, "a", "a"), store, "plan", 0, Resources())
