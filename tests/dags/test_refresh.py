"""The refresh graph, run whole: new rows cost new shards, no news ends at once, a spoilt source publishes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.build.small import Small, ids, small, text
from tests.dags.graphs import dag_file, ran, store_of
from tracemill.versions.versions import latest, version_numbers
from tracemill_airflow.graph import stages_of

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

OLD, NEW = [text(k) for k in range(20)], [text(k) for k in (90,)]
MAPPED = ("ingest", "sign", "unique", "rules", "select")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """One release that the tests of this file take through its life, in their order."""
    return small(tmp_path_factory.mktemp("refresh"), OLD)


@pytest.fixture(scope="module")
def graph(dagbag: DagBag, made: Small) -> DAG:
    """The refresh graph of the small recipe."""
    found: DAG = dag_file("refresh").refreshing("refresh_small", stages_of(made.recipe_file), [str(made.recipe_file)])
    return found


def manifests(made: Small) -> dict[str, int]:
    """When each shard of the mapped stages was sealed."""
    root = Path(store_of(made).root)
    return {f"{s}/{p.name}": p.stat().st_mtime_ns for s in MAPPED for p in root.glob(f"{s}/*.json")}


def test_a_first_refresh_makes_version_1(graph: DAG, made: Small) -> None:
    assert set(ran(graph, made).values()) == {"success"}
    version = latest(store_of(made))
    assert version is not None
    assert (version.number, version.rows, version.totals.added) == (1, 20, 20)


def test_without_news_every_stage_is_skipped(graph: DAG, made: Small) -> None:
    before = manifests(made)
    states = ran(graph, made)
    assert states.pop("changed") == "success"
    assert set(states.values()) == {"skipped"}
    assert manifests(made) == before
    assert version_numbers(store_of(made)) == [1]


def test_new_rows_are_new_shards_and_the_diff(graph: DAG, made: Small) -> None:
    before = manifests(made)
    made.write(OLD + NEW)
    assert set(ran(graph, made).values()) == {"success"}
    after = manifests(made)
    assert {key: after[key] for key in before} == before
    assert after.keys() - before.keys() == {f"{stage}/00002.json" for stage in MAPPED}
    version = latest(store_of(made))
    assert version is not None
    changes = store_of(made).get_table(version.changes).to_pylist()
    assert (version.number, {row["problem_id"] for row in changes}) == (2, ids(NEW))
    assert {row["change"] for row in changes} == {"added"}


def test_a_source_that_shrank_fails_the_plan_and_leaves_the_version(graph: DAG, made: Small) -> None:
    made.write(OLD[:-1])
    states = ran(graph, made)
    assert (states["changed"], states["plan"], states["version"]) == ("success", "failed", "upstream_failed")
    assert version_numbers(store_of(made)) == [1, 2]


def test_the_graphs_of_all_recipes_wait_for_time_or_an_asset_and_start_paused(dagbag: DagBag) -> None:
    found = [dag for name, dag in dagbag.dags.items() if name.startswith("refresh")]
    assert any(dag.dag_id == "refresh" for dag in found)
    for dag in found:
        assert dag.is_paused_upon_creation
        assert dag.get_task("plan").upstream_task_ids == {"changed"}
        assert dag.get_task("version").upstream_task_ids


def test_the_form_accepts_a_removal_by_name_and_count(graph: DAG, made: Small) -> None:
    made.write(OLD[:-1])
    states = ran(graph, made, accept_removed=[f"{made.folder}/rows.jsonl=2"])
    assert set(states.values()) == {"success"}
    version = latest(store_of(made))
    assert version is not None
    assert (version.number, version.rows) == (3, 19)


def test_what_follows_the_release_is_made_before_the_version(dagbag: DagBag, tmp_path: Path) -> None:
    """Trap: a version makes the exports anew, which stand on stages that run after the release."""
    made = small(tmp_path, OLD)
    sets = {"all": {"kind": "distilled_40m"}, "first": {"kind": "sft"}}
    made.describe(
        verify_math={"kind": "verify", "verifiers": [{"kind": "math"}]},
        grade={"kind": "grade"},
        stage_one={"kind": "stage_one"},
        export={"kind": "export", "sets": sets},
    )
    graph = dag_file("refresh").refreshing("refresh_graded", stages_of(made.recipe_file), [str(made.recipe_file)])
    assert set(ran(graph, made).values()) == {"success"}
    store = store_of(made)
    version = latest(store)
    exported = store.manifest("export", 0)
    assert version is not None
    assert exported is not None
    assert (version.number, version.rows, exported.counts.entered) == (1, 20, 20)
