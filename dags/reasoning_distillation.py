"""Problems in, a verified reasoning dataset out. Each stage is an operator of its own; stages share only shards.

`reasoning_distillation` has the stages of the recipe `demo` and runs every recipe that needs no others. A recipe with
other stages has a DAG of its own, `reasoning_distillation_RECIPE`, made from its file.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG

from tracemill_airflow.building import building
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import Stage

MAIN = "reasoning_distillation"


def distillation(dag_id: str, stages: Sequence[Stage], recipes: list[str]) -> DAG:
    """The DAG that runs these stages for any of these recipes, the first one by default."""
    return building(dag_id, __doc__, stages, recipes)


for end, (graph, fitting) in graphs().items():
    globals()[f"{MAIN}{end}"] = distillation(f"{MAIN}{end}", graph, fitting)
