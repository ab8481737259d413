"""Problems in, a verified reasoning dataset out. Each stage is an operator of its own; stages share only shards.

`reasoning_distillation` has the stages of the recipe `demo` and runs every recipe that needs no others. A recipe with
other stages has a DAG of its own, `reasoning_distillation_RECIPE`, made from its file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Param

from tracemill_airflow.graph import RECIPES, Stage, fits, stages_of, wire

MAIN = "reasoning_distillation"
STORE = os.environ.get("TRACEMILL_STORE", (Path(__file__).resolve().parents[1] / "var" / "store").as_uri())
DEFAULTS = {
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "trigger_rule": "none_failed",  # a stage that the recipe lacks is skipped; the next one still runs
}


def distillation(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    params = {
        "recipe": Param(
            recipes[0], type="string", enum=recipes, description="What to build: a file in include/recipes"
        ),
        "release": Param("v1", type="string", pattern="^[A-Za-z0-9._-]+$", description="Same name, same shards"),
        "store": Param(
            STORE, type="string", description="Where shards live: file:///..., s3://CONNECTION@bucket/prefix"
        ),
        "shards_per_task": Param(0, type="integer", minimum=0, description="Shards a task works through; 0 chooses"),
    }
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=2,
        tags=["tracemill"],
        doc_md=__doc__,
        params=params,
        default_args=DEFAULTS,
    ) as dag:
        wire(stages)
    return dag


files = {path.stem: stages_of(path) for path in sorted(RECIPES.glob("*.yaml"))}
graph = files["demo"]
fitting = ["demo", *(name for name in files if name != "demo" and fits(files[name], graph))]
main = distillation(MAIN, graph, fitting)
for name in files.keys() - set(fitting):
    globals()[f"{MAIN}_{name}"] = distillation(f"{MAIN}_{name}", files[name], [name])
