"""Problems in, a verified reasoning dataset out. Each stage is an operator of its own; stages share only shards.

`reasoning_distillation` has the stages of the recipe `demo` and runs every recipe that needs no others. A recipe with
other stages has a DAG of its own, `reasoning_distillation_RECIPE`, made from its file.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.form import DEFAULTS, batching, graphs, place, trying
from tracemill_airflow.graph import Stage, wire
from tracemill_airflow.places import MACROS
from tracemill_airflow.watched import watched

MAIN = "reasoning_distillation"


def distillation(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=2,
        tags=["tracemill"],
        doc_md=__doc__,
        params={**place(recipes), **trying(), **batching()},
        user_defined_macros=MACROS,
        default_args=DEFAULTS,
        **watched(),
    ) as dag:
        wire(stages)
    return dag


for end, (graph, fitting) in graphs().items():
    globals()[f"{MAIN}{end}"] = distillation(f"{MAIN}{end}", graph, fitting)
