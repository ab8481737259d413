"""The recipe `grade_decided` whole, on fake servers: a pilot, two modes, and no more samples than it takes to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.build.answering import solving
from tests.build.sampled import verifying
from tests.build.several import Servers
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.engine.trial import trial_root
from tracemill.local.beside import seats
from tracemill.local.run import Run
from tracemill.recipe import load_recipe

ROWS = 24
MOST = 8
SHARES = {"teacher-small": 4, "teacher-large": 2}  # right in so many of four samples
RECIPE = load_recipe("grade_decided").tried_on(ROWS)


def machine() -> Resources:
    return Servers({name: solving(share) for name, share in SHARES.items()}).machine()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The recipe on some of its rows, run to its end by the local runner."""
    root = trial_root(str(tmp_path_factory.mktemp("decided") / "store"), ROWS)
    done = Run(RECIPE, root, machine(), Console(quiet=True))
    done.go()
    return done


def rows(store: Store, step: str, table: str) -> list[dict[str, Any]]:
    """A step's table over all shards."""
    found = (store.manifest(step, shard) for shard in range(shard_count(store)))
    return [row for m in found if m for row in store.get_table(m.tables[table]).to_pylist()]


def test_every_problem_is_graded_in_each_mode_by_no_more_samples_than_it_takes(run: Run) -> None:
    grades = rows(run.store, "grade", "grades")
    assert Counter((g["teacher"], g["mode"]) for g in grades) == {
        (name, mode): ROWS for name in SHARES for mode in ("bare", "guided")
    }
    asked = [grade["asked"] for grade in grades]
    assert min(asked) >= 2
    assert max(asked) <= MOST
    assert sum(asked) < 0.75 * MOST * len(asked)


def test_where_all_are_right_all_is_easy(run: Run) -> None:
    maths = {row["id"] for row in rows(run.store, "ingest", "problems") if row["category"] == "math"}
    grades = [grade for grade in rows(run.store, "grade", "grades") if grade["teacher"] == "teacher-small"]
    assert {g["grade"] for g in grades if g["problem_id"] in maths} == {"easy"}
    assert {g["grade"] for g in grades if g["problem_id"] not in maths} == {"hopeless"}


def test_a_verify_task_beside_gives_the_very_same_rows(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Programs and answers together, through the store, as Airflow has it."""
    store = Store.at(trial_root(str(tmp_path_factory.mktemp("beside") / "store"), ROWS), create=True)
    apart = replace(machine(), beside=True)
    (seated,) = seats(RECIPE, apart)
    assert seated.stages == ("pilot_small", "distill_small", "pilot_large", "distill_large")
    with verifying(store, seated.seat.verifiers, workers=2):
        for step in ("plan", "ingest", "label", *seated.stages):
            for shard in range(1 if step.startswith(("plan", "pilot")) else shard_count(store)):
                run_shard(RECIPE, store, step, shard, apart)
    for step in ("distill_small", "distill_large"):
        here, there = (rows(one, step, "generations") for one in (run.store, store))
        for row in (*here, *there):
            row.pop("seconds")
        assert here == there
