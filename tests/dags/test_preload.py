"""A Celery worker of the cluster imports once what its tasks need; they are forks of it and work like any process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cluster.compose import Service, services
from tests.build.secrets import SECRET_VALUES
from tracemill_airflow.local import settings

PRELOAD = "tracemill_airflow.preload"
CONFIG = "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"
WORKERS = [service for service in services(SECRET_VALUES).values() if service.queues]
FORKS = """
import os, signal, sys, traceback
import tracemill_airflow.preload

def task(folder):
    import numpy as np, polars as pl, pyarrow as pa, pyarrow.parquet as pq
    before = set(sys.modules)
    from tracemill.recipe import load_recipe
    from tracemill.engine.runner import run_shard
    from tracemill.local.demand import served_models
    assert served_models(load_recipe("demo"))
    late = {name for name in set(sys.modules) - before if name.startswith(("tracemill", "pandas", "numba", "scipy"))}
    assert not late, late
    table = pa.table({"a": np.arange(100_000) % 7, "b": ["x", "y"] * 50_000})
    pq.write_table(table, f"{folder}/{os.getpid()}.parquet")
    read = pl.read_parquet(f"{folder}/{os.getpid()}.parquet")
    assert len(read.group_by("a", "b").len()) == 14
    assert read.lazy().filter(pl.col("a") > 3).collect().height == 42856
    (np.ones((300, 300)) @ np.ones((300, 300))).sum()

children = []
for _ in range(3):
    child = os.fork()
    if not child:
        signal.alarm(300)  # a fork that waits for a thread which it does not have waits for ever
        try:
            task(sys.argv[1])
        except BaseException:
            os.write(2, traceback.format_exc().encode())
            os._exit(1)
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


@pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker.name)
def test_every_worker_imports_it_when_it_starts(worker: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.configuration import conf
    from airflow.providers.celery.executors.default_celery import get_default_celery_config
    from celery import Celery

    monkeypatch.setenv(CONFIG, worker.environment[CONFIG])
    monkeypatch.setenv("AIRFLOW__CELERY__RESULT_BACKEND", "redis://nowhere/1")
    assert PRELOAD in Celery(config_source=get_default_celery_config(conf)).loader.default_modules


def test_only_workers_import_it() -> None:
    others = [service.environment for service in services(SECRET_VALUES).values() if not service.queues]
    assert not any(CONFIG in environment for environment in others)
    assert [json.loads(worker.environment[CONFIG]) for worker in WORKERS] == [{"imports": [PRELOAD]}] * len(WORKERS)


def test_its_forks_find_everything_and_can_use_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path)], env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == str([0] * 3), done.stderr[-2000:]


def test_the_local_server_imports_it_before_it_forks_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.executors.executor_loader import ExecutorLoader
    from airflow.executors.local_executor import LocalExecutor

    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", settings(tmp_path, 1)["AIRFLOW__CORE__EXECUTOR"])
    monkeypatch.delitem(sys.modules, PRELOAD, raising=False)
    there = []
    monkeypatch.setattr(LocalExecutor, "start", lambda self: there.append(PRELOAD in sys.modules))
    executor, _ = ExecutorLoader.import_default_executor_cls()
    assert executor.is_local
    executor().start()
    assert there == [True]
