"""A model that can never be served, under a real Airflow: how long does the run outlive its failed serve task?"""

from __future__ import annotations

import time
from dataclasses import replace

import yaml

from benchmarks.serving.through_airflow import DAG, SETTINGS
from benchmarks.serving.workload import Workload
from tracemill_airflow.local import start
from tracemill_airflow.rest import AirflowRest


def run_ends(workload: Workload) -> dict[str, object]:
    """Seconds from the final failure of the serve task to the end of the run. Raises RuntimeError for another end."""
    few = replace(workload, problems=20)
    few.write()
    recipe = yaml.safe_load(few.path.read_text())
    recipe["steps"]["distill"]["teacher"]["model"]["serve"]["flags"] = ["--no-such-flag"]
    few.path.write_text(yaml.safe_dump(recipe))
    root = few.folder / "store"
    airflow = start(few.folder / "airflow", SETTINGS)
    failed: float | None = None
    try:
        rest = AirflowRest(airflow.url, airflow.username, airflow.password)
        rest.await_dag(DAG)
        run = rest.trigger(DAG, {"recipe": str(few.path), "root": root.as_uri()})
        for tasks in rest.follow(DAG, run, every=0.5):
            if failed is None and any(task.task == "serve" and task.state == "failed" for task in tasks):
                failed = time.monotonic()
        ended, state = time.monotonic(), rest.run(DAG, run)["state"]
    finally:
        airflow.stop()
    if state != "failed" or failed is None:
        raise RuntimeError(f"the run ended {state} and its serve task did not fail; see {airflow.home}/logs")
    print(f"the run ended {ended - failed:.1f} s after its serve task had failed for good")
    return {"run_ends_after_s": round(ended - failed, 1)}
