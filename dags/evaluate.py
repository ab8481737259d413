"""Evaluates models on benchmarks: each item sampled several times, verified, graded; then pass@1 with its interval.

`evaluate` has the stages of the recipe `evaluate_papers` and runs every recipe that has a stage `evaluate` and no
others, by default `evaluate_demo`. A recipe that evaluates and has other stages has a DAG of its own,
`evaluate_RECIPE`, made from its file. `tracemill evaluate STORE` shows what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.building import building
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import Stage
from tracemill_airflow.operators.stages import EvaluateOperator

MAIN = "evaluate"
FIRST = "evaluate_demo"  # it needs neither a GPU nor the Hub


def evaluating(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, by default the one that needs least."""
    return building(dag_id, __doc__, stages, sorted(recipes, key=lambda name: name != FIRST))


for end, (graph, fitting) in graphs("evaluate_papers", EvaluateOperator).items():
    globals()[f"{MAIN}{end}"] = evaluating(f"{MAIN}{end}", graph, fitting)
