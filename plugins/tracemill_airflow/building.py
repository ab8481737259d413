"""Makes the DAG that runs a recipe's stages from its first source to its release, with the form that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.form import DEFAULTS, batching, place, spending, trying
from tracemill_airflow.graph import Stage, wire
from tracemill_airflow.places import MACROS
from tracemill_airflow.watched import watched


def building(dag_id: str, doc: str | None, stages: Sequence[Stage], recipes: Sequence[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default; `doc` is its page."""
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=2,
        tags=["tracemill"],
        doc_md=doc,
        params={**place(recipes), **trying(), **batching(), **spending()},
        user_defined_macros=MACROS,
        default_args=DEFAULTS,
        **watched(),
    ) as dag:
        wire(stages)
    return dag
