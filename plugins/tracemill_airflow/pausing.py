"""Shows that a task is paused as a limit of money is reached, and takes a new limit where Airflow asks people for it.

The task is deferred, is called "paused at a limit", and says why as its XCom. The first one that a limit stops also
asks: the page *Required actions* then has a field for a new limit. Whoever raises the limit elsewhere answers it, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from tracemill_airflow import notifying
from tracemill_airflow.run_state import run_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.store import Store
    from tracemill.errors import LimitSpent
    from tracemill.recipe import Recipe

PAUSED = "paused"  # an XCom's key
ASKED = "asked_for_limit"  # an XCom's key: this task asks people
GO_ON = "Go on"
FIELD = "cost_limit"
_BODY = (
    "As much money is spent as may be; the task's XCom `paused` says how much. Nothing is lost: what was answered is "
    "kept. Give a higher limit to go on."
)
_TOLD = "costs/told"  # who tells and asks people of a limit: one of the tasks of a run that it stops


def say_paused(context: Context, store: Store, spent: LimitSpent) -> None:
    """Name the task for its pause, keep the reason as its XCom; tell and ask people of this limit if none has."""
    instance: Any = context.get("ti")
    if instance is None:
        return
    instance.xcom_push(key=PAUSED, value=str(spent))
    _rename(context)
    mark = _mark(context, spent.limit, spent.model)
    me = f"{instance.task_id}[{instance.map_index}]".encode()
    is_first = store.create_bytes(mark, me)
    if not (is_first or store.read_bytes(mark) == me):
        return
    if not spent.model and _in_airflow(context):
        _ask(instance, spent.limit)
    if is_first and notifying.connections():
        notifying.tell(notifying.about_pause(context, str(spent)))


def take_up(context: Context, event: Mapping[str, Any], recipe: Recipe, store: Store) -> dict[str, Any]:
    """The event on which the task goes on: people's answer becomes the limit; where it was raised elsewhere, what asks
    them is closed.
    """
    from tracemill.engine.keys import remove
    from tracemill.local.limits import limit_now, raise_limit

    instance: Any = context.get("ti")
    if "params_input" not in event:
        if _in_airflow(context) and instance.xcom_pull(key=ASKED, map_indexes=instance.map_index):
            _close(instance)
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
    instance.xcom_push(key=ASKED, value=True)


def _close(instance: Any) -> None:
    from airflow.sdk.execution_time.hitl import update_hitl_detail_response

    update_hitl_detail_response(instance.id, chosen_options=[GO_ON], params_input={})
    instance.xcom_push(key=ASKED, value=False)


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
