"""Takes a benchmark that became known late, scans everything released, and publishes a patch version without its rows.

Nothing is generated or judged anew: only the release is written again. `revocations/NAME.jsonl` on the store lists what
was taken out and why, and later refreshes keep it out and compare new rows with the benchmark too. What only has the
form of an item is listed in `revocations/NAME.suspected`, for a person: run it again with `accept` to revoke it.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG, Param

from tracemill_airflow.building import by_form
from tracemill_airflow.form import HOW, batching, place
from tracemill_airflow.graph import RELEASES
from tracemill_airflow.operators.recall import AnnounceOperator, PatchOperator, RevokeOperator, ScanOperator
from tracemill_airflow.operators.refresh import VersionOperator
from tracemill_airflow.shelf import recipe_texts


def _form(recipes: Sequence[str]) -> dict[str, Param]:
    """The fields of the form: which release, which benchmark, and how the work is parted."""
    return {
        **place(recipes, "demo" if "demo" in recipes else None),
        "benchmark_name": Param(
            "late_benchmark",
            type="string",
            pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$",
            title="Benchmark's name",
            description="Letters, digits, - and _. The list of what was taken out is revocations/NAME.jsonl.",
        ),
        "benchmark_path": Param(
            "benchmarks/demo_benchmark.jsonl",
            type="string",
            minLength=1,
            title="Benchmark's file",
            description="JSON Lines or JSON, one question a row; a relative path starts at the recipe's folder.",
        ),
        "benchmark_field": Param(
            "problem", type="string", minLength=1, title="Field with the question", description="Such as problem."
        ),
        "benchmark_id_field": Param(
            None,
            type=["null", "string"],
            title="Field with an item's name",
            description="Left empty, items are called by their number.",
        ),
        "accept": Param(
            None,
            type=["null", "string"],
            title="Accept suspects",
            section=HOW,
            description="Problem ids from revocations/NAME.suspected that are revoked too, or: all. They only have the "
            "form of an item, so a person looks first.",
        ),
        **batching(),
    }


def recalling(dag_id: str, recipes: Sequence[str]) -> DAG:
    """The DAG that recalls a benchmark from a release of any of these recipes."""
    with by_form(dag_id, __doc__, _form(recipes)) as dag:
        announce = AnnounceOperator(task_id="announce")
        scan = ScanOperator.partial(task_id="scan").expand(shards=announce.output)
        release = PatchOperator(task_id="release", outlets=[RELEASES])
        version = VersionOperator(task_id="version", cause="recall")
        scan >> RevokeOperator(task_id="revoke") >> release >> version
    return dag


recall = recalling("recall", sorted(recipe_texts()))
