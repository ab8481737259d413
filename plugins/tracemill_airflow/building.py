"""Makes the DAG that runs a recipe's stages from its first source to its release, with the form that starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow.sdk import DAG, Param

from tracemill_airflow.form import DEFAULTS, batching, place, spending, trying
from tracemill_airflow.graph import Stage, wire
from tracemill_airflow.places import MACROS
from tracemill_airflow.watched import watched


def building(dag_id: str, doc: str | None, stages: Sequence[Stage], recipes: Sequence[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default; `doc` is its page."""
    with by_form(dag_id, doc, {**place(recipes), **trying(), **batching(), **spending()}, at_once=2) as dag:
        wire(stages)
    return dag


def by_form(dag_id: str, doc: str | None, form: Mapping[str, Param], at_once: int = 1) -> DAG:
    """A DAG without tasks yet that people start with a form, so many runs at once; `doc` is its page."""
    return DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=at_once,
        tags=["tracemill"],
        doc_md=doc,
        params=dict(form),
        user_defined_macros=MACROS,
        default_args=DEFAULTS,
        **watched(),
    )
