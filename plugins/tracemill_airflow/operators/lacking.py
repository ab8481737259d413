"""Stages of a graph that a recipe lacks: the task before them skips them, for that costs no task.

A task that skips itself takes a second and more, and eight of them stand in a row in the graph that recipes share. All
of them skipped by the first task would be cheaper still, but a task waits for those right before it alone: what follows
a stage that was skipped early would begin early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import DownstreamTasksSkipped

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.types import Operator

    from tracemill.recipe import Recipe


def lacking(task: Operator, recipe: Recipe) -> list[str]:
    """The tasks that come next in the same mapped group, up to the first whose stage the recipe has."""
    stages = recipe.pipeline().keys()
    following = takewhile(lambda one: getattr(one, "stage", None) not in stages, _following(task))
    return [one.task_id for one in following]


def _following(task: Operator) -> Iterator[Operator]:
    group = task.get_closest_mapped_task_group()
    while group is not None and len(task.downstream_task_ids) == 1:
        [task] = task.downstream_list
        if task.get_closest_mapped_task_group() is not group:
            return
        yield task


def without(tasks: Sequence[str], summary: dict[str, Any], context: Context) -> dict[str, Any]:
    """The summary. Raises DownstreamTasksSkipped for these tasks of the same batch; the summary is an XCom beside it.

    Airflow knows them once it has divided them into batches; one that is not divided yet runs, and skips itself.
    """
    if not tasks:
        return summary
    context["ti"].xcom_push(key="summary", value=summary)
    batch = context["ti"].map_index
    raise DownstreamTasksSkipped(tasks=[(task, batch) for task in tasks])  # type: ignore[no-untyped-call]
