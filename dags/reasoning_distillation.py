"""The main DAG: problems in, a verified reasoning dataset out. Each stage is an operator; stages share only shards."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from airflow.sdk import DAG, Asset, Param, task_group

from tracemill_airflow.operators import (
    ClusterOperator,
    DecontaminateOperator,
    IngestOperator,
    LabelOperator,
    PlanOperator,
    ReleaseOperator,
    RuleCheckOperator,
    SelectOperator,
    SignOperator,
    UniqueOperator,
    VerifyCodeOperator,
    VerifyMathOperator,
)

PROJECT = Path(__file__).resolve().parents[1]
RECIPES = sorted(path.stem for path in (PROJECT / "include" / "recipes").glob("*.yaml"))
STORE = os.environ.get("TRACEMILL_STORE", (PROJECT / "var" / "store").as_uri())
PREPARE = (IngestOperator, LabelOperator, SignOperator)
REFINE = (
    UniqueOperator,
    DecontaminateOperator,
    RuleCheckOperator,
    VerifyMathOperator,
    VerifyCodeOperator,
    SelectOperator,
)
STAGES = [o.stage_name for o in (PlanOperator, *PREPARE, ClusterOperator, *REFINE, ReleaseOperator)]
RELEASES = Asset(name="tracemill_releases", uri="x-tracemill://releases")

with DAG(
    dag_id="reasoning_distillation",
    schedule=None,
    catchup=False,
    max_active_runs=2,
    tags=["tracemill"],
    doc_md=__doc__,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=5),
        "trigger_rule": "none_failed",  # a stage that the recipe lacks is skipped; the next one still runs
    },
    params={
        "recipe": Param("demo", type="string", enum=RECIPES, description="What to build: a file in include/recipes"),
        "release": Param(
            "v1", type="string", pattern="^[A-Za-z0-9._-]+$", description="Name of the release; same name, same store"
        ),
        "store": Param(
            STORE, type="string", description="Where shards live: file:///..., s3://CONNECTION@bucket/prefix"
        ),
        "shards_per_task": Param(0, type="integer", minimum=0, description="Shards a task works through; 0 chooses"),
    },
) as dag:

    @task_group
    def prepare(shards: list[int]) -> None:
        """Read, label and sign the shards of one batch; batches do not wait for each other."""
        operators = [o(task_id=o.stage_name, shards=shards) for o in PREPARE]
        for earlier, later in pairwise(operators):
            earlier >> later

    @task_group
    def refine(shards: list[int]) -> None:
        """Keep, check, verify and select within one batch; batch 7 may be verified while batch 8 is still checked."""
        operators = [o(task_id=o.stage_name, shards=shards) for o in REFINE]
        for earlier, later in pairwise(operators):
            earlier >> later

    batches = PlanOperator(task_id="plan", stages=STAGES, shards_per_task="{{ params.shards_per_task }}").output
    cluster = ClusterOperator(task_id="cluster")
    release = ReleaseOperator(task_id="release", outlets=[RELEASES])
    prepare.expand(shards=batches) >> cluster >> refine.expand(shards=batches) >> release
