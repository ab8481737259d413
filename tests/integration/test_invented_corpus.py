"""The corpus of the data benchmark, small: what is planted in it is found, and nothing else, also when it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data import accuracy
from benchmarks.data.corpus import Corpus, written
from benchmarks.data.pipeline import recipe_for
from benchmarks.data.refresh import grown
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import parse_recipe

ROWS = 6000


def run(corpus: Corpus, root: Path) -> int:
    """Run all steps in this process; returns how many shards were computed and not reused."""
    recipe, store = parse_recipe(recipe_for(corpus, rows_per_shard=1000), "test"), Store.at(str(root), create=True)
    computed = 0
    for name, step in recipe.pipeline().items():
        for shard in range(1 if step.shape == "gather" else shard_count(store)):
            computed += not run_shard(recipe, store, name, shard, Resources(workers=1)).reused
    return computed


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    made = written(tmp_path_factory.mktemp("corpus"), ROWS)
    run(made, made.folder / "store")
    return made


def test_planted_duplicates_are_dropped_for_their_own_cluster(corpus: Corpus) -> None:
    found = accuracy.dedup(corpus, corpus.folder / "store")
    assert found["planted"] > 800
    assert found["dedup_recall"] >= 0.99
    assert found["dedup_precision"] >= 0.99


def test_planted_contamination_is_found_and_clean_rows_are_kept(corpus: Corpus) -> None:
    found = accuracy.decontamination(corpus, corpus.folder / "store")
    assert [found[f"recall_{kind}"] for kind in ("copied", "wrapped", "partly_changed")] == [1, 1, 1]
    assert found["false_positives"] <= 0.001


def test_a_refresh_computes_new_shards_and_the_gathering_only(corpus: Corpus) -> None:
    grown(corpus, 0.05)
    steps_with_one_new_shard = ("ingest", "label", "sign", "unique", "decontaminate")
    gathered = ("plan", "cluster")
    assert run(corpus, corpus.folder / "store") == len(steps_with_one_new_shard) + len(gathered)
    assert run(corpus, corpus.folder / "store") == 0
