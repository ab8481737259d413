"""Compares teachers: the same problems to each, sampled until verified, and only what all of them solved is released.

`compare_teachers` has the stages of the recipe `compare_demo` and runs every recipe that has a stage `intersect` and no
others. A recipe that compares and has other stages has a DAG of its own, `compare_teachers_RECIPE`, made from its file.
`tracemill compare STORE` puts the teachers side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.building import building
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import Stage
from tracemill_airflow.operators.stages import IntersectOperator

MAIN = "compare_teachers"


def comparing(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    return building(dag_id, __doc__, stages, recipes)


for end, (graph, fitting) in graphs("compare_demo", IntersectOperator).items():
    globals()[f"{MAIN}{end}"] = comparing(f"{MAIN}{end}", graph, fitting)
