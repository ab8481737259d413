"""The distil stage alone, with its serve task: what `make bench-serving` measures through Airflow."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.serve import ServeOperator, ServersOperator
from tracemill_airflow.operators.stages import DistillOperator, IngestOperator

with DAG(
    dag_id="bench_serving",
    schedule=None,
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=2)},
    params={"recipe": Param("", type="string"), "root": Param("", type="string")},
) as dag:
    root = {"recipe": "{{ params.recipe }}", "store_url": "{{ params.root }}"}
    feeds = ["ingest", "distill"]
    plan = PlanOperator(task_id="plan", stages=["plan", *feeds], feeds=feeds, shards_per_task=1000, **root)
    batches = plan.output
    ingest = IngestOperator.partial(task_id="ingest", **root).expand(shards=batches)
    distill = DistillOperator.partial(task_id="distill", at_once=4, **root).expand(shards=batches)
    servers = ServersOperator(task_id="servers", **root)
    serve = ServeOperator.partial(task_id="serve", pool="default_pool", **root).expand(server=servers.output)
    plan >> servers
    ingest >> distill
    ingest >> serve
