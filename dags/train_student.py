"""From a verified release to a student: laid out and proved for its trainer's template, then trained, step by step.

`train_student` has the stages of the recipe `student_demo` and runs every recipe that has a stage `train` and no
others. A recipe that trains and has other stages has a DAG of its own, `train_student_RECIPE`, made from its file. What
is sealed is not made again: a release that is there is trained on at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.building import building
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import Stage
from tracemill_airflow.operators.stages import TrainOperator

MAIN = "train_student"


def training(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    return building(dag_id, __doc__, stages, recipes)


for end, (graph, fitting) in graphs("student_demo", TrainOperator).items():
    globals()[f"{MAIN}{end}"] = training(f"{MAIN}{end}", graph, fitting)
