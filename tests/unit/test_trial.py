"""A recipe is tried on rows chosen by hash, in a store of its own; what was answered there is not paid for again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.engine.trial import trial_root
from tracemill.errors import RecipeError
from tracemill.ingest.chosen import chosen_rows
from tracemill.ingest.source import Slice
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe, stored_recipe
from tracemill.recipe_places import split_rows, with_rows
from tracemill.upkeep.pruning import removable

RECIPE = """
name: mine
description: d
rows_per_shard: 10
sources: [{kind: jsonl, name: mine, path: rows.jsonl, columns: {prompt: q}}]
steps:
  distill: {kind: distill, teacher: {kind: chat, model: {name: m, api: {url: "http://there/v1", model: m}}}}
  select: {kind: select, unverified: keep}
  release: {kind: release}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    rows = [json.dumps({"q": f"Tell me of the number {n}."}) + "\n" for n in range(57)]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    return str(tmp_path / "mine.yaml")


def ran(recipe: str, root: Path, server: FakeServer, rows: int | None = None) -> Run:
    machine = Resources(workers=1, environment={}, transport=server)
    done = Run(load_recipe(with_rows(recipe, rows)), trial_root(str(root), rows), machine, Console(quiet=True))
    done.go()
    return done


def released(done: Run) -> int:
    manifest = done.store.manifest("release", 0)
    assert manifest is not None
    return manifest.counts.kept


def test_a_trial_and_the_whole_after_it_pay_for_each_answer_once(recipe: str, tmp_path: Path) -> None:
    server = FakeServer()
    small, larger = (ran(recipe, tmp_path / "store", server, rows) for rows in (5, 20))
    assert (released(small), released(larger)) == (5, 20)
    assert len(server.generated) == 20
    whole = ran(recipe, tmp_path / "store", server)
    assert released(whole) == 57
    assert len(server.generated) == 57
    assert ran(recipe, tmp_path / "store", server, 20).computed == 0


def test_a_trial_is_no_part_of_the_whole_and_says_what_it_is(recipe: str, tmp_path: Path) -> None:
    trial = ran(recipe, tmp_path / "store", FakeServer(), 5)
    assert stored_recipe(trial.store).trial == 5
    card = trial.store.manifest("release", 0)
    assert card is not None
    assert b"a trial on 5 rows" in trial.store.read_bytes(card.files["README.md"].key)
    with pytest.raises(RecipeError, match="holds a trial on 5 rows, not the whole recipe: give each its own root"):
        Run(load_recipe(recipe), trial.store.root, Resources(workers=1), Console(quiet=True)).go()


def test_pruning_the_whole_takes_nothing_from_its_trials(recipe: str, tmp_path: Path) -> None:
    """Trap: below the whole's root a trial's tables are named by nobody, as its manifests name them by its own root."""
    trial = ran(recipe, tmp_path / "store", FakeServer(), 5)
    assert removable(Store.at(str(tmp_path / "store")), grace=0) == []
    assert ran(recipe, tmp_path / "store", FakeServer(), 5).computed == 0
    assert removable(trial.store, grace=0) == []


def test_a_recipes_settings_are_as_they_were_before_there_were_trials(recipe: str, tmp_path: Path) -> None:
    """Trap: a new field at its default changes every fingerprint, and all that was sealed is made anew."""
    whole = load_recipe(recipe)
    assert "trial" not in whole.model_dump_json()
    assert all("trial" not in step.model_dump() for step in whole.pipeline().values())


def test_trial_is_no_key_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(RECIPE + "trial: 5\n")
    with pytest.raises(RecipeError, match="say --rows"):
        load_recipe(str(tmp_path / "x.yaml"))


def part(source: str, file: str, start: int, stop: int) -> Slice:
    return Slice(source=source, file=file, start=start, stop=stop, sha256="", revision="")


SLICES = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 300)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(SLICES, st.integers(1, 50))
def test_as_many_as_asked_for_or_all_and_a_small_trial_lies_in_a_larger(
    files: list[tuple[str, str, int]], count: int
) -> None:
    slices = [part(source, f"{file}{n}", 0, size) for n, (source, file, size) in enumerate(files)]
    total = sum(size for *_, size in files)
    small, large = chosen_rows(slices, count), chosen_rows(slices, count * 2)
    assert sum(map(len, small)) == min(count, total)
    assert all(set(a) <= set(b) for a, b in zip(small, large, strict=True))


def test_how_rows_are_cut_into_shards_changes_no_choice() -> None:
    whole = chosen_rows([part("s", "f", 0, 1000)], 40)[0]
    cut = chosen_rows([part("s", "f", start, start + 100) for start in range(0, 1000, 100)], 40)
    assert np.concatenate(cut).tolist() == whole.tolist()


def test_rows_are_chosen_evenly_over_all_files() -> None:
    found = chosen_rows([part("s", f"f{n}", 0, 10_000) for n in range(10)], 1000)
    assert all(60 < len(rows) < 140 for rows in found)
    assert 4000 < np.concatenate(found).mean() < 6000


REFERENCES = {"demo": "demo#rows=7", "a/b.yaml": "a/b.yaml#rows=7", "name: x\nsteps: {}": "name: x\nsteps: {}\n#rows=7"}


@pytest.mark.parametrize(("bare", "tried"), REFERENCES.items(), ids=["name", "path", "text"])
def test_a_reference_says_how_many_rows(bare: str, tried: str) -> None:
    assert with_rows(bare, 7) == tried
    assert split_rows(tried) == (bare, 7)
    assert with_rows(tried, None) == bare
    assert with_rows(tried, 9) == tried.replace("7", "9")
