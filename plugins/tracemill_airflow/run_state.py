"""Knows how the other tasks of a DAG run stand: so that nobody waits for a task that has ended for good."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

ENDED = frozenset(("success", "failed", "upstream_failed", "skipped", "removed"))


class RunOf(NamedTuple):
    """Which run of which DAG a task belongs to; both are "" outside Airflow."""

    dag_id: str
    run_id: str


def run_of(context: Context) -> RunOf:
    """The run that a task's context names."""
    instance: Any = context.get("ti")
    return RunOf(instance.dag_id, instance.run_id) if instance is not None else RunOf("", "")


def states(run: RunOf) -> Mapping[str, str | None]:
    """The state of every task instance of the run, by task id and map index; {} outside Airflow, and in the callbacks
    of `dag.test`, where there is nobody to ask.
    """
    from airflow.sdk.execution_time import task_runner

    if not run.run_id or not hasattr(task_runner, "SUPERVISOR_COMMS"):
        return {}
    asked = task_runner.RuntimeTaskInstance.get_task_states(run.dag_id, run_ids=[run.run_id])
    found: Mapping[str, str | None] = asked.get(run.run_id, {})
    return found


def failed_ones(run: RunOf) -> frozenset[str]:
    """The run's task instances that have failed for good, by Airflow's names."""
    return frozenset(name for name, state in states(run).items() if state == "failed")


def have_ended(found: Mapping[str, str | None], tasks: Iterable[str]) -> bool:
    """Whether all instances of these tasks, of which there are some, will not run any more."""
    mine = _instances(found, tasks)
    return bool(mine) and all(state in ENDED for state in mine)


def have_failed(found: Mapping[str, str | None], tasks: Iterable[str]) -> bool:
    """Whether all instances of these tasks have ended, and not all of them well."""
    return have_ended(found, tasks) and bool({"failed", "upstream_failed"} & set(_instances(found, tasks)))


def _instances(found: Mapping[str, str | None], tasks: Iterable[str]) -> list[str | None]:
    """The states of the tasks' instances, whatever groups and map indexes are around their names."""
    wanted = "|".join(re.escape(task) for task in tasks) or "(?!)"
    names = re.compile(rf"(?:.*\.)?(?:{wanted})(?:_\d+)?")
    return [state for task, state in found.items() if names.fullmatch(task)]
