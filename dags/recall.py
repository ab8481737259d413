"""Takes a benchmark that became known late, scans everything released, and publishes a patch version without its rows.

Nothing is generated or judged anew: only the release is written again. `revocations/NAME.jsonl` on the store lists what
was taken out and why, and later refreshes keep it out and compare new rows with the benchmark too. What only has the
form of an item is listed in `revocations/NAME.suspected`, for a person: run it again with `accept` to revoke it.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG, Param

from tracemill_airflow.form import DEFAULTS, place
from tracemill_airflow.graph import RECIPES, RELEASES
from tracemill_airflow.operators.recall import AnnounceOperator, PatchOperator, RevokeOperator, ScanOperator
from tracemill_airflow.operators.refresh import VersionOperator


def recalling(dag_id: str, recipes: Sequence[str]) -> DAG:
    """The DAG that recalls a benchmark from a release of any of these recipes."""
    form = {
        **place(recipes, "demo" if "demo" in recipes else None),
        "benchmark_name": Param(
            "late_benchmark", type="string", pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$", description="Names the list"
        ),
        "benchmark_path": Param(
            "benchmarks/demo_benchmark.jsonl",
            type="string",
            description="JSON Lines or JSON, one question a row; relative to include/recipes",
        ),
        "benchmark_field": Param("problem", type="string", description="The field with the question"),
        "benchmark_id_field": Param(None, type=["null", "string"], description="The field with an item's name, if any"),
        "accept": Param(
            None,
            type=["null", "string"],
            description="Suspects to revoke too: problem ids from revocations/NAME.suspected, or all",
        ),
        "shards_per_task": Param(0, type="integer", minimum=0, description="Shards a task works through; 0 chooses"),
    }
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["tracemill"],
        doc_md=__doc__,
        params=form,
        default_args=DEFAULTS,
    ) as dag:
        announce = AnnounceOperator(task_id="announce")
        scan = ScanOperator.partial(task_id="scan").expand(shards=announce.output)
        release = PatchOperator(task_id="release", outlets=[RELEASES])
        version = VersionOperator(task_id="version", cause="recall")
        scan >> RevokeOperator(task_id="revoke") >> release >> version
    return dag


recall = recalling("recall", sorted(path.stem for path in RECIPES.glob("*.yaml")))
