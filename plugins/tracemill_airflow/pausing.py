"""Shows that a task is paused as a limit of money is reached, and takes a new limit where Airflow asks people for it.

The task is deferred, is called "paused at a limit", and says why as its XCom. The first one that a limit stops also
asks: the page *Required actions* then has a field for a new limit. Whoever raises the limit elsewhere answers it, too:
what the task waits for (`cost_trigger`) closes the question then, as a task may not.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from asgiref.sync import sync_to_async

from tracemill_airflow import notifying
from tracemill_airflow.run_state import run_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.store import Store
    from tracemill.errors import LimitSpent
    from tracemill.recipe import Recipe

_log = logging.getLogger(__name__)
PAUSED = "paused"  # an XCom's key
GO_ON = "Go on"
FIELD = "cost_limit"
_BODY = (
    "As much money is spent as may be; the task's XCom `paused` says how much. Nothing is lost: what was answered is "
    "kept. Give a higher limit to go on."
)
_TOLD = "costs/told"  # who tells and asks people of a limit: one of the tasks of a run that it stops


def say_paused(context: Context, store: Store, spent: LimitSpent) -> bool:
    """Name the task for its pause, keep the reason as its XCom; tell and ask people of this limit if none has.

    Returns whether this task asks.
    """
    instance: Any = context.get("ti")
    if instance is None:
        return False
    instance.xcom_push(key=PAUSED, value=str(spent))
    _rename(context)
    mark = _mark(context, spent.limit, spent.model)
    me = f"{instance.task_id}[{instance.map_index}]".encode()
    is_first = store.create_bytes(mark, me)
    if not (is_first or store.read_bytes(mark) == me):
        return False
    asks = not spent.model and _in_airflow(context)
    if asks:
        _ask(instance, spent.limit)
    if is_first and notifying.connections():
        notifying.tell(notifying.about_pause(context, str(spent)))
    return asks


def take_up(context: Context, event: Mapping[str, Any], recipe: Recipe, store: Store) -> dict[str, Any]:
    """The event on which the task goes on: people's answer becomes the limit."""
    from tracemill.engine.keys import remove
    from tracemill.local.limits import limit_now, raise_limit

    if "params_input" not in event:
        return dict(event)
    limit = limit_now(recipe, store)
    if limit is not None:
        remove(store, _mark(context, limit))  # an answer that is too low is asked for again
    given = (event["params_input"] or {}).get(FIELD)
    if given is not None:
        raise_limit(recipe, store, float(given))
    return {"state": "ready"}


def _mark(context: Context, limit: float, model: str = "") -> str:
    told = "|".join((*run_of(context), model, f"{limit:g}"))
    return f"{_TOLD}/{hashlib.sha256(told.encode()).hexdigest()[:20]}"


def _ask(instance: Any, limit: float) -> None:
    from airflow.sdk.execution_time.hitl import upsert_hitl_detail

    field = Param(2 * limit, type="number", exclusiveMinimum=0, title="New cost limit")
    upsert_hitl_detail(
        ti_id=instance.id,
        options=[GO_ON],
        subject="The run is paused: its cost limit is reached",
        body=_BODY,  # Airflow keeps the first text of a task, so it names no number
        params={FIELD: field.serialize()},
    )


class Question:
    """What a task asks people, by the task's id, as a trigger sees it: a task itself may only ask."""

    def __init__(self, task: Any) -> None:
        self._task = task

    async def answer(self) -> dict[str, Any] | None:
        """The fields that people filled in; None while nobody has answered."""
        from airflow.sdk.execution_time.hitl import get_hitl_detail_content_detail

        found = await sync_to_async(get_hitl_detail_content_detail)(ti_id=self._task)
        return dict(found.params_input or {}) if found.response_received else None

    async def close(self) -> None:
        """Answer it, so that nobody is asked any more; somebody else may do so first."""
        from airflow.sdk.exceptions import AirflowRuntimeError
        from airflow.sdk.execution_time.hitl import update_hitl_detail_response

        try:
            await sync_to_async(update_hitl_detail_response)(ti_id=self._task, chosen_options=[GO_ON], params_input={})
        except AirflowRuntimeError as error:
            _log.info("the question was not closed: %s", error)


def _rename(context: Context) -> None:
    """Say it in the label of a mapped task; Airflow renders that when a task ends, and this one waits."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import SetRenderedMapIndex

    named: Any = context
    label = f"paused at a limit: {named.get('shard_name') or ''}".rstrip(": ")
    named["shard_name"] = label
    if _in_airflow(context) and getattr(context.get("ti"), "map_index", -1) not in (None, -1):
        task_runner.SUPERVISOR_COMMS.send(msg=SetRenderedMapIndex(rendered_map_index=label))


def _in_airflow(context: Context) -> bool:
    """Whether a task of a run does this, whom Airflow answers."""
    from airflow.sdk.execution_time import task_runner

    return bool(run_of(context).run_id) and hasattr(task_runner, "SUPERVISOR_COMMS")
