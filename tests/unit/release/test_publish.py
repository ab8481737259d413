"""A published folder is the sealed release, whole and checked, and never somebody else's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tracemill.cli import app
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import CorruptShard, MissingInput, RecipeError, StoreError
from tracemill.recipe import Recipe, parse_recipe
from tracemill.release.trainers.layouts import AM_SYSTEM
from tracemill.report.publish import LIST, publish

DATA = {"name": "tiny", "description": "", "rows_per_shard": 400}
SOURCES = [{"kind": "demo", "name": "demo_code", "part": "code", "license": "Apache-2.0"}]


def recipe(file: str = "train", **settings: Any) -> Recipe:
    release = {"kind": "release", "file": file, **settings}
    steps = {"select": {"kind": "select", "unverified": "keep"}, "release": release}
    return parse_recipe({**DATA, "sources": SOURCES, "steps": steps}, "tiny")


def run(recipe: Recipe, store: Store) -> Store:
    for name, step in recipe.pipeline().items():
        for index in range(shard_count(store)) if step.shape == "map" else [0]:
            run_shard(recipe, store, name, index, Resources(workers=1))
    return store


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a small release, which no test changes."""
    return run(recipe(), Store.at(str(tmp_path_factory.mktemp("sealed") / "store"), create=True))


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_the_release_under_the_names_of_its_card(sealed: Store, tmp_path: Path) -> None:
    folder = publish(sealed, tmp_path / "out")

    figures = {f"figures/{name}.png" for name in ("length", "reference", "category", "difficulty")}
    data = {"README.md", "funnel.json", "metadata.parquet", "train.jsonl.zst", "train.parquet"}
    assert names(folder) == data | figures | {LIST}
    assert set(json.loads((folder / LIST).read_text())["files"]) == data | figures


def test_publishing_again_writes_nothing(sealed: Store, tmp_path: Path) -> None:
    folder = publish(sealed, tmp_path / "out")
    before = {name: (folder / name).stat().st_mtime_ns for name in names(folder) - {LIST}}

    publish(sealed, folder)

    assert {name: (folder / name).stat().st_mtime_ns for name in names(folder) - {LIST}} == before


def test_a_copy_that_was_changed_or_lost_is_put_right(sealed: Store, tmp_path: Path) -> None:
    folder = publish(sealed, tmp_path / "out")
    original = (folder / "README.md").read_bytes()
    (folder / "README.md").write_bytes(original[::-1])
    (folder / "funnel.json").unlink()

    publish(sealed, folder)

    assert (folder / "README.md").read_bytes() == original
    assert (folder / "funnel.json").is_file()


def test_files_of_the_release_before_are_removed_and_notes_are_not(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), create=True)
    folder = publish(run(recipe(), store), tmp_path / "out")
    (folder / "my-notes.txt").write_text("mine")

    publish(run(recipe(file="renamed"), store), folder)

    assert {"renamed.jsonl.zst", "renamed.parquet", "my-notes.txt"} <= names(folder)
    assert not {"train.jsonl.zst", "train.parquet"} & names(folder)


def test_a_folder_with_other_files_is_refused(sealed: Store, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("my thesis")

    with pytest.raises(StoreError, match="holds other files: publish into a new or empty folder"):
        publish(sealed, tmp_path)
    assert (tmp_path / "README.md").read_text() == "my thesis"


def test_a_store_without_a_release_says_what_to_run(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), create=True)
    with pytest.raises(MissingInput, match="nothing was run"):
        publish(store, tmp_path / "out")

    run_shard(recipe(), store, "plan", 0, Resources(workers=1))
    with pytest.raises(MissingInput, match="holds no release yet: run step 'release' first"):
        publish(store, tmp_path / "out")


def test_a_damaged_release_is_not_published(tmp_path: Path) -> None:
    store = run(recipe(), Store.at(str(tmp_path / "store"), create=True))
    (card,) = Path(store.root).glob("release/00000/README-*.md")
    card.write_bytes(card.read_bytes()[:-1] + b"?")

    with pytest.raises(CorruptShard, match="is not what its manifest says"):
        publish(store, tmp_path / "out")

    card.unlink()
    with pytest.raises(CorruptShard, match="is named by a manifest but is missing"):
        publish(store, tmp_path / "out")
    assert "README.md" not in names(tmp_path / "out")


def test_a_target_that_cannot_be_made_is_a_store_error(sealed: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match=r"cannot write .*check access and retry"):
        publish(sealed, tmp_path / "file" / "out")


def test_layouts_of_a_recipe_lie_in_the_release_and_change_nothing_else(sealed: Store, tmp_path: Path) -> None:
    plain = publish(sealed, tmp_path / "plain")
    store = Store.at(str(tmp_path / "store"), create=True)
    wanted = recipe(layouts=["messages", {"layout": "prompt_completion", "system": "am"}])
    folder = publish(run(wanted, store), tmp_path / "out")

    by_layout = {
        layout: {name.split("/")[2] for name in names(folder) if name.startswith(f"layouts/{layout}/")}
        for layout in ("messages", "prompt_completion")
    }
    files = {"README.md", "RELEASE.md", "metadata.parquet", "train-00000.parquet", "tracemill-export.json"}
    assert by_layout == {"messages": files, "prompt_completion": files}
    assert {name: (folder / name).read_bytes() for name in names(plain) - {LIST}} == {
        name: (folder / name).read_bytes() for name in names(folder) - {LIST} if not name.startswith("layouts/")
    }
    rows = pq.read_table(folder / "layouts/prompt_completion/train-00000.parquet").to_pylist()
    assert len(rows) == pq.read_metadata(folder / "train.parquet").num_rows
    assert {row["prompt"][0]["content"] for row in rows} == {AM_SYSTEM}


def test_a_store_or_its_folder_can_be_exported_alike(sealed: Store, tmp_path: Path) -> None:
    publish(sealed, tmp_path / "published")
    made = []
    for place in (sealed.root, tmp_path / "published"):
        out = tmp_path / f"out-{len(made)}"
        ran = CliRunner().invoke(app, ["export", str(place), "--layout", "gptoss", "--to", str(out)])
        assert ran.exit_code == 0, ran.output
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert made[0] == made[1]


def test_a_release_without_layouts_is_sealed_as_it_was() -> None:
    assert "layouts" not in recipe().step("release").model_dump(mode="json")
    with pytest.raises(RecipeError, match="layouts"):
        recipe(layouts=["sharegpt"])
