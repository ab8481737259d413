"""The recall graph, run whole: exactly the planted problem goes, no stage runs again, a later refresh keeps it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.build.small import LEAK, ids, small, text
from tests.dags.graphs import dag_file, ran, store_of
from tracemill.versions.versions import Version, latest
from tracemill_airflow.graph import stages_of

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

    from tests.build.small import Small

OLD, NEW = [text(k) for k in range(12)], text(90)
STAGES = ("plan", "ingest", "sign", "cluster", "unique", "rules", "select")


def published(made: Small) -> tuple[Version, set[str]]:
    """The last version and the ids of its problems."""
    store = store_of(made)
    version = latest(store)
    assert version is not None
    table = store.get_table(version.files["metadata.parquet"], ["problem_id"])
    return version, set(table["problem_id"].to_pylist())


def test_a_recall_patches_the_release_for_good(dagbag: DagBag, tmp_path: Path) -> None:
    made = small(tmp_path, [*OLD, LEAK])
    recipes = [str(made.recipe_file)]
    refresh = dag_file("refresh").refreshing("refresh_leaky", stages_of(made.recipe_file), recipes)
    recall = dag_file("recall").recalling("recall_leaky", recipes)
    ran(refresh, made)
    root = Path(store_of(made).root)
    sealed = {path: path.stat().st_mtime_ns for stage in STAGES for path in root.glob(f"{stage}/*.json")}
    benchmark = {"name": "late", "path": str(made.benchmark("late", LEAK.upper())), "field": "question"}

    states = ran(recall, made, **{f"benchmark_{key}": value for key, value in benchmark.items()})

    assert set(states.values()) == {"success"}
    version, problems = published(made)
    assert (version.number, version.cause, version.totals.reasons) == (2, "recall", {"revoked": 1})
    assert problems == ids(OLD)
    assert {path: path.stat().st_mtime_ns for path in sealed} == sealed
    assert len((root / "revocations" / "late.jsonl").read_text().splitlines()) == 1

    made.write([*OLD, LEAK, NEW])
    assert set(ran(refresh, made).values()) == {"success"}
    version, problems = published(made)
    assert (version.number, version.cause, problems) == (3, "refresh", ids([*OLD, NEW]))


def test_the_form_asks_for_a_release_and_a_benchmark(dagbag: DagBag) -> None:
    asked = {"recipe", "recipe_yaml", "release", "store", "shards_per_task", "accept"}
    asked |= {f"benchmark_{name}" for name in ("name", "path", "field", "id_field")}
    assert set(dagbag.dags["recall"].params) == asked
