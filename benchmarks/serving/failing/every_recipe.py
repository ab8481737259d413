"""DAGs for `benchmarks.serving.run_end`: one for each recipe in the folder that TRACEMILL_BENCH_RECIPES names."""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import DAG, Param

from tracemill_airflow.form import DEFAULTS
from tracemill_airflow.graph import stages_of, wire
from tracemill_airflow.places import MACROS
from tracemill_airflow.watched import watched

for path in sorted(Path(os.environ["TRACEMILL_BENCH_RECIPES"]).glob("*.yaml")):
    params = {
        "recipe": Param(str(path), type="string"),
        "release": Param("v1", type="string"),
        "store": Param(os.environ["TRACEMILL_STORE"], type="string"),
        "shards_per_task": Param(1, type="integer"),
    }
    form = {"params": params, "user_defined_macros": MACROS, "default_args": {**DEFAULTS, "retries": 2}}
    with DAG(path.stem, schedule=None, **form, **watched()) as dag:
        wire(stages_of(path))
    globals()[path.stem] = dag
