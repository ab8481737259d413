"""The demo, from its sources to its release: every planted fault is caught where and why it was planted, and nothing
else that came from a source is turned away.

The teacher here is a fake that always writes the same wrong trace, so that what it writes never hides a planted fault.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import pytest

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.ingest.demo import DemoSource, Planted
from tracemill.ingest.demo.faults import CATCHES
from tracemill.local.demand import served_models
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe

Ending = tuple[str, str, str]  # step, bucket, reason


@dataclass(frozen=True)
class FinishedDemo:
    """A run of the demo: where every row that was not kept ended, by shard and ledger id; new traces apart."""

    recipe: Recipe
    store: Store
    machine: Resources
    turned_away: dict[tuple[int, str], Ending]
    distilled: dict[str, Ending | None]

    def planted(self) -> list[Planted]:
        """All planted faults of all sources."""
        return [fault for source in self.recipe.sources if isinstance(source, DemoSource) for fault in source.planted()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> FinishedDemo:
    """The demo recipe run without Airflow and without models."""
    recipe, store = load_recipe("demo"), Store.at(str(tmp_path_factory.mktemp("demo")), create=True)
    endpoints = {name: [{"url": "http://fake", "model": name}] for name in served_models(recipe)}
    machine = Resources(environment={ENDPOINTS: json.dumps(endpoints)}, transport=FakeServer(say=say))
    for name, step in recipe.pipeline().items():
        for shard in range(1 if step.shape == "gather" else shard_count(store)):
            run_shard(recipe, store, name, shard, machine)
    away, new = turned_away(recipe, store), distilled(recipe, store)
    old = {key: ending for key, ending in away.items() if key[1] not in new}
    return FinishedDemo(recipe, store, machine, old, {g: away.get((shard, g)) for g, shard in new.items()})


def say(prompt: str, seed: int) -> str:
    """The judge believes nothing; the teacher writes the one trace that is right for no problem."""
    if "You are an evaluation expert" in prompt:
        return '{"correctness": "1",}'
    return "<think>It is beyond me.</think>\n<answer>\\boxed{-77777}</answer>"


def distilled(recipe: Recipe, store: Store) -> dict[str, int]:
    """The shard of every trace that the teacher wrote, by its id."""
    found: dict[str, int] = {}
    for shard in range(shard_count(store)):
        manifest = store.manifest("distill", shard)
        assert manifest is not None
        ids = store.get_table(manifest.tables["generations"], ["id"])["id"].to_pylist()
        found |= dict.fromkeys(ids, shard)
    return found


def turned_away(recipe: Recipe, store: Store) -> dict[tuple[int, str], Ending]:
    """Every ledger row that is not kept, of all map steps."""
    found: dict[tuple[int, str], Ending] = {}
    for name, step in recipe.pipeline().items():
        for shard in range(shard_count(store)) if step.shape == "map" else ():
            manifest = store.manifest(name, shard)
            assert manifest is not None
            for row in store.get_table(manifest.tables["ledger"]).to_pylist():
                if row["bucket"] != "kept":
                    found[shard, row["id"]] = (name, row["bucket"], row["reason"])
    return found


def test_every_kind_of_fault_is_planted(demo: FinishedDemo) -> None:
    assert {fault.kind for fault in demo.planted()} == set(CATCHES)


@pytest.mark.parametrize("kind", sorted(CATCHES))
def test_a_planted_fault_is_caught_where_and_why_it_was_planted(demo: FinishedDemo, kind: str) -> None:
    endings = {row_id: ending for (_, row_id), ending in demo.turned_away.items()}
    for fault in demo.planted():
        if fault.kind == kind:
            expected = (fault.catch.step, fault.catch.bucket, fault.catch.reason)
            candidates = fault.responses if fault.catch.unit == "one_of" else (fault.id,)
            assert [endings[one] for one in candidates if one in endings] == [expected], fault


def test_nothing_else_is_turned_away(demo: FinishedDemo) -> None:
    planted = Counter((f.catch.step, f.catch.bucket, f.catch.reason) for f in demo.planted())
    assert Counter(demo.turned_away.values()) == planted


def test_every_problem_without_a_verified_response_gets_a_trace_and_no_wrong_one_stays(demo: FinishedDemo) -> None:
    assert len(demo.distilled) > 240, "the open problems and those whose response was turned away"
    assert {ending and ending[:2] for ending in demo.distilled.values()} <= {
        ("judge", "rejected"),
        ("judge", "quarantined"),
        ("verify_code_new", "rejected"),
        ("verify_code_new", "quarantined"),
        ("select", "rejected"),
    }


def test_a_second_run_computes_nothing(demo: FinishedDemo) -> None:
    reused = [
        run_shard(demo.recipe, demo.store, name, shard, demo.machine).reused
        for name, step in demo.recipe.pipeline().items()
        for shard in range(1 if step.shape == "gather" else shard_count(demo.store))
    ]
    assert all(reused)
