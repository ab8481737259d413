"""The funnel adds up what is sealed, also while a run is not done, and names what is missing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.build.fakes import FakeIngest, FakePlan, Sieve, fake_recipe
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import MissingInput
from tracemill.recipe import stored_recipe
from tracemill.report.funnel import funnel, funnel_table, print_funnel, recipe_of

RECIPE = fake_recipe(plan=FakePlan(shards=3), ingest=FakeIngest(rows=1200), sieve=Sieve(by=2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def run(store: Store, *shards: tuple[str, int]) -> Store:
    for name, index in shards:
        run_shard(RECIPE, store, name, index, Resources(workers=1))
    return store


def everything(store: Store) -> Store:
    shards = [(name, index) for name in ("ingest", "sieve") for index in range(3)]
    return run(store, ("plan", 0), *shards, ("gather", 0))


def test_every_stage_adds_up(store: Store) -> None:
    found = funnel(RECIPE, everything(store))

    assert found.complete
    assert [stage.step for stage in found.steps] == ["plan", "ingest", "sieve", "gather"]
    for stage in found.steps:
        assert stage.entered == stage.kept + sum(stage.rejected.values()) + sum(stage.quarantined.values())
    sieve = found.steps[2]
    assert (sieve.entered, sieve.shards, sieve.unit, sieve.shape) == (3600, 3, "problem", "map")
    assert 0 < sieve.rejected["divisible"] < 3600
    assert found.steps[3].entered == sieve.kept
    assert found.steps[1].tables == {"problems": 3600}


@pytest.mark.parametrize(
    ("done", "missing"),
    [
        pytest.param([], {"plan": [0], "ingest": [0], "sieve": [0], "gather": [0]}, id="nothing ran"),
        pytest.param([("plan", 0)], {"ingest": [0, 1, 2], "sieve": [0, 1, 2], "gather": [0]}, id="planned only"),
        pytest.param(
            [("plan", 0), ("ingest", 0), ("ingest", 2), ("sieve", 2)],
            {"ingest": [1], "sieve": [0, 1], "gather": [0]},
            id="in the middle",
        ),
    ],
)
def test_an_unfinished_run_says_which_shards_are_missing(
    store: Store, done: list[tuple[str, int]], missing: dict[str, list[int]]
) -> None:
    found = funnel(RECIPE, run(store, *done))

    assert not found.complete
    assert {stage.step: stage.missing for stage in found.steps if stage.missing} == missing


def printed(store: Store, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(funnel_table(funnel(RECIPE, store)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [72, 200])
def test_numbers_and_reasons_are_never_cut(store: Store, width: int) -> None:
    text = printed(everything(store), width)

    assert "3,600" in text
    assert "divisible" in text
    assert "…" not in text


def test_the_reports_need_the_root_only(store: Store) -> None:
    everything(store)
    console = Console(file=io.StringIO(), width=100)

    assert stored_recipe(store).name == recipe_of(store).name == "fake"
    print_funnel(store, console)
    assert isinstance(console.file, io.StringIO)
    assert "Recipe fake" in console.file.getvalue()


def test_a_store_where_nothing_ran_says_how_to_start(store: Store) -> None:
    with pytest.raises(MissingInput, match="start with `tracemill run RECIPE --root URL`"):
        recipe_of(store)
