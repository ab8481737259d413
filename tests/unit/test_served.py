"""How long a model is needed: until every shard of every stage that asks it is sealed for today's inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.served import MACHINE, sealed, written
from tests.build.shard import MODEL
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.local.demand import Demand, served_models
from tracemill.recipe import Recipe


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def over(recipe: Recipe, store: Store) -> bool:
    return Demand(recipe, store, MACHINE, served_models(recipe)["tiny"].stages).is_over()


def test_demand_ends_with_the_last_shard(tmp_path: Path, store: Store) -> None:
    recipe = written(tmp_path)
    assert not over(recipe, store)
    sealed(recipe, store, ("ingest", "label"))
    assert not over(recipe, store)
    sealed(recipe, store, ("distill",), shards=(0,))
    assert not over(recipe, store)
    sealed(recipe, store, ("distill",))
    assert over(recipe, store)


def test_changed_settings_are_a_new_demand(tmp_path: Path, store: Store) -> None:
    sealed(written(tmp_path), store, ("ingest", "label", "distill"))
    assert not over(written(tmp_path, samples=2), store)


def test_new_rows_are_a_new_demand(tmp_path: Path, store: Store) -> None:
    sealed(written(tmp_path), store, ("ingest", "label", "distill"))
    grown = written(tmp_path, limit=15)
    run_shard(grown, store, "plan", 0, MACHINE)
    assert not over(grown, store)


def test_shards_sealed_from_inputs_that_are_about_to_change_do_not_end_it(tmp_path: Path, store: Store) -> None:
    """The stage itself looks done, but the step before it has settings of today that it was not run with yet."""
    sealed(written(tmp_path), store, ("ingest", "label", "distill"))
    judge = {"kind": "judge", "judge": {"kind": "correctness", "model": MODEL}, "only": "all"}
    recipe = written(tmp_path, judge=judge)
    sealed(recipe, store, ("judge",))
    assert over(recipe, store)
    changed = written(tmp_path, samples=2, judge=judge)
    assert not Demand(changed, store, MACHINE, ["judge"]).is_over()


def test_models_come_in_the_order_of_the_stages_and_one_name_is_one_model(tmp_path: Path) -> None:
    critic = {"kind": "judge", "judge": {"kind": "correctness", "model": {**MODEL, "name": "critic"}}}
    recipe = written(tmp_path, judge=critic)
    assert {name: served.stages for name, served in served_models(recipe).items()} == {
        "tiny": ("distill",),
        "critic": ("judge",),
    }
    clash = {"kind": "judge", "judge": {"kind": "correctness", "model": {**MODEL, "revision": "other"}}}
    with pytest.raises(RecipeError, match="name two models 'tiny'"):
        served_models(written(tmp_path, judge=clash))


def test_a_reward_model_of_the_stages_own_process_is_not_served(tmp_path: Path) -> None:
    local = {"kind": "reward", "reward_model": {"kind": "local", "model": {**MODEL, "name": "rm"}}}
    served = {
        "kind": "reward",
        "reward_model": {"kind": "served", "model": {**MODEL, "name": "rm", "task": "classify"}},
    }
    assert "rm" not in served_models(written(tmp_path, reward=local))
    assert "rm" in served_models(written(tmp_path, reward=served))
