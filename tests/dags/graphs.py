"""Runs the project's graphs on recipes that tests write: `dag.test` in this process, on the session's database."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.sdk import DAG
from airflow.triggers.base import BaseTrigger

from tests.build.small import Small
from tracemill.engine.store import Store

PROJECT = Path(__file__).resolve().parents[2]


class XCom:
    """Stands where a task instance would, outside any run: it keeps what is pushed."""

    dag_id = run_id = task_id = ""
    map_index = -1

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def dag_file(name: str) -> ModuleType:
    """A file of the dags folder as a module."""
    spec = importlib.util.spec_from_file_location(f"dag_file_{name}", PROJECT / "dags" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ran(dag: DAG, made: Small, **params: Any) -> dict[str, str]:
    """Run the graph to its end; the state of every task (of several of one name: the least lucky one)."""
    known_to_airflow(dag)
    conf = {"recipe": str(made.recipe_file), "store": made.folder.as_uri(), **params}
    run = dag.test(run_conf=conf)
    states: dict[str, set[str]] = {}
    for task in run.get_task_instances():
        states.setdefault(task.task_id, set()).add(str(task.state))
    order = ["failed", "upstream_failed", "None", "skipped", "success"]
    return {task: min(found, key=order.index) for task, found in states.items()}


def known_to_airflow(dag: DAG) -> None:
    """Write the graph to the database, as the DAG processor would."""
    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    bag = DagBag(os.devnull, bundle_path=PROJECT)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)


def store_of(made: Small) -> Store:
    """Where the graphs keep the shards of that recipe: below STORE/RECIPE/RELEASE."""
    return Store.at(f"{made.folder}/{made.recipe_file}/v1")


def first_event(trigger: BaseTrigger) -> dict[str, Any]:
    """What a trigger fires first, within half a minute."""

    async def go() -> Any:
        async for event in trigger.run():
            return event.payload
        return None

    payload: dict[str, Any] = asyncio.run(asyncio.wait_for(go(), 30))
    return payload
