"""Grades problems by what models solve of them: sampled several times each, verified, scored, and a pass rate for each.

`grade_difficulty` has the stages of the recipe `grade_demo` and runs every recipe that has a stage `grade` and no
others. A recipe that grades and has other stages has a DAG of its own, `grade_difficulty_RECIPE`, made from its file.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.building import building
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import Stage
from tracemill_airflow.operators.stages import GradeOperator

MAIN = "grade_difficulty"


def grading(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    return building(dag_id, __doc__, stages, recipes)


for end, (graph, fitting) in graphs("grade_demo", GradeOperator).items():
    globals()[f"{MAIN}{end}"] = grading(f"{MAIN}{end}", graph, fitting)
