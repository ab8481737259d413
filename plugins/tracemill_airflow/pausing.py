"""Shows that a task is paused as a limit of money is reached, and takes a new limit where Airflow asks people for it.

The task is deferred, is called "paused at a limit", and says why as its XCom. The first one that a limit stops also
asks: the page *Required actions* then has a field for a new limit. Whoever raises the limit elsewhere answers it, too:
what the task waits for (`cost_trigger`) closes the question then, as a task may not. A try that fails meanwhile leaves
its question to the next one, which waits for the same answer (or finds it given) before it does anything else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowRuntimeError
from asgiref.sync import sync_to_async
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

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
_ASKED = "costs/asked"  # of which limit a task has asked people, until it goes on
_TRIES = 7  # to close a question, in half a minute: Airflow's database may be locked for a moment


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
        store.write_bytes(_asked(context), f"{spent.limit!r}".encode())
        _ask(instance, spent.limit)
    if is_first and notifying.connections():
        notifying.tell(notifying.about_pause(context, str(spent)))
    return asks


def take_up(context: Context, event: Mapping[str, Any], recipe: Recipe, store: Store) -> None:
    """Let people's answer, if the event is one, become the limit: the task goes on."""
    from tracemill.engine.keys import remove
    from tracemill.local.limits import limit_now, raise_limit

    remove(store, _asked(context))
    if "params_input" not in event:
        return
    limit = limit_now(recipe, store)
    if limit is not None:
        remove(store, _mark(context, limit))  # an answer that is too low is asked for again
    given = (event["params_input"] or {}).get(FIELD)
    if given is not None:
        raise_limit(recipe, store, float(given))


def asked_before(context: Context, store: Store) -> float | None:
    """The limit of which an earlier try of this task asked people and did not go on; the task is named paused then."""
    if context.get("ti") is None:
        return None
    try:
        asked = store.read_bytes(_asked(context))
    except FileNotFoundError:
        return None
    _rename(context)
    return float(asked)


def _mark(context: Context, limit: float, model: str = "") -> str:
    return _key(_TOLD, (*run_of(context), model, f"{limit:g}"))


def _asked(context: Context) -> str:
    instance: Any = context.get("ti")
    return _key(_ASKED, (*run_of(context), instance.task_id, str(instance.map_index)))


def _key(folder: str, names: Iterable[str]) -> str:
    return f"{folder}/{hashlib.sha256('|'.join(names).encode()).hexdigest()[:20]}"


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
        """The fields that people filled in; None while nobody has answered, or nothing is asked."""
        from airflow.sdk.execution_time.hitl import get_hitl_detail_content_detail

        found = await self._told(get_hitl_detail_content_detail)
        return dict(found.params_input or {}) if found is not None and found.response_received else None

    async def close(self) -> None:
        """Answer it, so that nobody is asked any more; somebody else may do so first."""
        from airflow.sdk.execution_time.hitl import update_hitl_detail_response

        await self._told(update_hitl_detail_response, chosen_options=[GO_ON], params_input={})

    async def _told(self, say: Callable[..., Any], **what: Any) -> Any:
        """What Airflow says to it; None where there is no question, or it cannot be reached for long."""
        wait = wait_exponential(0.5)
        tries = AsyncRetrying(
            retry=retry_if_exception(_is_busy), stop=stop_after_attempt(_TRIES), wait=wait, reraise=True
        )
        try:
            return await tries(sync_to_async(say), ti_id=self._task, **what)
        except AirflowRuntimeError as error:
            _log.warning("Airflow did not take what was said of the question: %s", error)
            return None


def _is_busy(error: BaseException) -> bool:
    """Whether Airflow may take it the next time: not when the try is there no more, or somebody has answered."""
    if not isinstance(error, AirflowRuntimeError):
        return False
    return (error.error.detail or {}).get("status_code") not in (404, 409)


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
