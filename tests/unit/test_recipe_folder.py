"""A recipe's relative paths start where its file lies, stay relative in what is stored, and can be moved with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, SourceError
from tracemill.local.pending import pending
from tracemill.local.preflight import require_ready
from tracemill.local.run import Run
from tracemill.recipe import load_recipe, stored_recipe
from tracemill.versions.versions import seal_version

RECIPE = """
name: mine
description: Rows beside the recipe
sources: [{kind: jsonl, name: mine, path: data/rows.jsonl, columns: {prompt: q, response: r}}]
steps:
  label: {kind: label}
  select: {kind: select, unverified: keep}
  release: {kind: release}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    rows = [{"q": f"What is {n} and {n}?", "r": f"It is {2 * n}."} for n in range(12)]
    (folder / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(RECIPE)
    return folder


def ran(recipe: Path | str, root: Path) -> Run:
    done = Run(load_recipe(str(recipe)), str(root), Resources(workers=1), Console(quiet=True))
    done.go()
    return done


def test_paths_start_at_the_recipe_wherever_it_is_run_from(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "data")
    assert ran("../mine.yaml", tmp_path / "store").computed == 5


def test_they_stay_relative_in_everything_that_decides_and_only_the_folder_is_kept_beside(
    folder: Path, tmp_path: Path
) -> None:
    store = ran(folder / "mine.yaml", tmp_path / "store").store
    kept = {path.name for path in (tmp_path / "store").glob("**/*.json") if str(folder) in path.read_text()}
    assert kept == {"recipe-folder.json"}
    assert json.loads(store.read_bytes("recipe.json"))["sources"][0]["path"] == "data/rows.jsonl"


def test_later_commands_find_the_folder_beside_the_recipe(folder: Path, tmp_path: Path) -> None:
    store = ran(folder / "mine.yaml", tmp_path / "store").store
    known = stored_recipe(store)
    assert known == load_recipe(str(folder / "mine.yaml"))
    assert known.located(Resources()).path("data/rows.jsonl") == folder / "data" / "rows.jsonl"


def test_everything_that_looks_whether_a_shard_is_sealed_looks_from_the_recipes_folder(
    folder: Path, tmp_path: Path
) -> None:
    """Trap: a benchmark or a model with a relative path is part of a fingerprint by its content."""
    (folder / "late.jsonl").write_text('{"q": "What is the sum of all?"}\n')
    compared = """
  sign: {kind: sign, embedder: {kind: hashing}}
  clean: {kind: decontaminate, embedder: {kind: hashing}, benchmarks: [{name: late, path: late.jsonl, field: q}]}
  select:"""
    (folder / "mine.yaml").write_text(RECIPE.replace("\n  select:", compared))
    store = ran(folder / "mine.yaml", tmp_path / "store").store
    for known in (load_recipe(str(folder / "mine.yaml")), stored_recipe(store)):
        assert pending(known, store, ["label", "sign", "clean", "select"], Resources(workers=1)) == []
        assert seal_version(known, store, Resources(workers=1), "publish").version.number == 1
        require_ready(known, store, Resources(workers=1))


def test_a_folder_that_was_moved_is_one_clear_error_until_the_recipe_ran_from_its_new_place(
    folder: Path, tmp_path: Path
) -> None:
    store = ran(folder / "mine.yaml", tmp_path / "store").store
    moved = folder.rename(tmp_path / "moved")
    lost = stored_recipe(store)
    assert lost.name == "mine"
    with pytest.raises(SourceError, match=f"no folder {folder} on this machine. If it was moved, run the recipe"):
        lost.sources[0].state(lost.located(Resources()))
    again = ran(moved / "mine.yaml", tmp_path / "store")
    assert (again.computed, again.reused) == (0, 5)
    found = stored_recipe(store)
    assert found.sources[0].state(found.located(Resources()))


def test_the_shipped_recipes_are_found_by_every_tracemill_and_leave_no_folder(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path), create=True)
    load_recipe("demo").remember(store)
    assert not (tmp_path / "recipe-folder.json").exists()
    assert stored_recipe(store).located(Resources()).base == SHIPPED


def test_a_recipe_that_becomes_a_shipped_one_takes_its_folder_back(folder: Path, tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), create=True)
    (folder / "demo.yaml").write_text((SHIPPED / "demo.yaml").read_text())
    for recipe, base in ((str(folder / "demo.yaml"), folder), ("demo", SHIPPED)):
        load_recipe(recipe).remember(store)
        assert stored_recipe(store).located(Resources()).base == base


def test_a_recipe_given_as_text_starts_where_own_recipes_lie(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_recipe(RECIPE).located(Resources()).base == SHIPPED
    monkeypatch.setenv("TRACEMILL_RECIPES", str(folder))
    assert load_recipe(RECIPE).located(Resources()).path("data/rows.jsonl").is_file()


def test_own_recipes_are_found_by_name_as_soon_as_they_are_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEMILL_RECIPES", folder.as_uri())
    assert load_recipe("mine").located(Resources()).base == folder
    (folder / "other.yml").write_text(RECIPE.replace("name: mine\nd", "name: other\nd"))
    assert load_recipe("other").name == "other"
    with pytest.raises(RecipeError, match="did you mean 'other'"):
        load_recipe("othr")


def test_own_recipes_may_lie_in_a_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/shelf/far.yaml", RECIPE.encode())
    monkeypatch.setenv("TRACEMILL_RECIPES", "memory://shelf")
    far = load_recipe("far")
    assert far.name == "mine"
    with pytest.raises(SourceError, match="write an absolute path"):
        far.sources[0].state(far.located(Resources()))


def test_a_folder_that_is_not_there_is_said_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMILL_RECIPES", "/nowhere/at/all")
    with pytest.raises(RecipeError, match="TRACEMILL_RECIPES names /nowhere/at/all, which is no folder"):
        load_recipe("demo")
