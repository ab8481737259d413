"""Tells people how a run ended, through Airflow's own notifiers: Slack, e-mail, any webhook.

TRACEMILL_NOTIFY, or Airflow's variable of that name in small letters, lists connection ids. A connection's type says
how it is told: `slackwebhook`; `slack` (extra {"channel": "#data"}); `smtp` (extra {"to": "a@b.c"}); `http` (a POST of
JSON to the host, which may be a whole URL; extra: headers). Airflow's DAG processor sends it: it must reach them.
"""

from __future__ import annotations

import asyncio
import html
import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from airflow.sdk import Connection, Variable
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowRuntimeError

from tracemill_airflow.failing import Failure, failures
from tracemill_airflow.places import store_of
from tracemill_airflow.run_state import RunOf
from tracemill_airflow.settings import NOTIFY

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

_log = logging.getLogger(__name__)
_AGAIN = "then clear the run's failed tasks; what is sealed is not made again"
_REMEDIES = {
    "RecipeError": f"correct the recipe or the setting that the cause names, {_AGAIN}",
    "SourceError": f"correct the source that the cause names, {_AGAIN}",
    "StoreError": f"see that the store can be read and written, {_AGAIN}",
    "ServingError": f"look at the serve task's log or the endpoint, {_AGAIN}",
    "VerifierError": f"look at the task's log for what the verifier lacks on that worker, {_AGAIN}",
    "SandboxError": f"run `tracemill sandbox check` on that worker, {_AGAIN}",
    "CorruptShard": f"delete what the cause names, {_AGAIN}",
    "MissingInput": "clear the stage that the cause names, with all that follows it",
    "ConservationError": "this is a fault of tracemill: nothing was sealed; report the cause with the task's log",
    "AirflowTaskTimeout": f"raise TRACEMILL_TASK_TIMEOUT or give the stage more workers, {_AGAIN}",
    "": f"the task was killed (memory? a machine that went?): look at its worker, {_AGAIN}",
}
_BUG = "look at the task's log: this error is not one that tracemill foresees"


@dataclass(frozen=True)
class Message:
    """What is told: `title` in one line, `facts` by name, in the order in which people read them."""

    title: str
    facts: Mapping[str, str]

    @property
    def text(self) -> str:
        """All of it as plain text, a fact a line."""
        return "\n".join([self.title, *(f"{name}: {value}" for name, value in self.facts.items())])

    @property
    def html(self) -> str:
        """All of it for an e-mail."""
        rows = (
            f"<tr><th align='left' valign='top'>{html.escape(n)}</th><td><pre>{html.escape(v)}</pre></td></tr>"
            for n, v in self.facts.items()
        )
        return f"<p>{html.escape(self.title)}</p><table>{''.join(rows)}</table>"


def failed(context: Context) -> None:
    """Tell that a run failed: where, why, and what to do (a DAG's on_failure_callback)."""
    if connections():
        tell(about_failure(context))


def succeeded(context: Context) -> None:
    """Tell that a run ended well (a DAG's on_success_callback)."""
    if connections():
        tell(Message(f"tracemill: {_which(context)} is done", _facts(context)))


async def late(context: Mapping[str, Any], **_: Any) -> None:
    """Tell that a run takes longer than TRACEMILL_RUN_DEADLINE; it goes on (a deadline's callback)."""
    run = context["dag_run"]
    place = RunOf(str(run["dag_id"]), str(run["dag_run_id"]))
    message = Message(f"tracemill: {place.dag_id} is late and goes on", {"run": place.run_id, "link": _link(place)})
    await asyncio.to_thread(tell, message)


def about_failure(context: Context) -> Message:
    """What is known about a failed run: the first task that failed by itself, and how many others did."""
    dag: Any = context["dag"]
    run = RunOf(dag.dag_id, context["run_id"])
    try:
        found = failures(run, set(dag.task_ids))
    except AirflowRuntimeError as error:  # then people hear less, but they hear of it
        _log.warning("cannot see which tasks failed: %s", error)
        found = []
    if not found:
        reason = str(cast("Mapping[str, Any]", context).get("reason") or "unknown")
        return Message(f"tracemill: {_which(context)} failed", {"cause": reason, **_facts(context)})
    first = next((one for one in found if one.text), found[0])
    cause = {
        "stage": first.stage or first.name,
        "shards": first.shards,
        "cause": f"{first.error}: {first.text}" if first.error else "the task was killed",
        "remedy": _REMEDIES.get(first.error, _BUG),
        "failed tasks": ", ".join(one.name for one in found),
    }
    known = {name: value for name, value in cause.items() if value}
    return Message(f"tracemill: {_which(context)} failed in {first.name}", {**known, **_facts(context, first)})


def about_pause(context: Context, why: str) -> Message:
    """What is told when a limit of money stops a run: it waits, and nothing has failed."""
    return Message(f"tracemill: {_which(context)} is paused", {"cause": why, **_facts(context)})


def connections() -> list[str]:
    """The connection ids that are told."""
    named = os.environ.get(NOTIFY) or Variable.get(NOTIFY.lower(), default="")
    return [one.strip() for one in str(named).split(",") if one.strip()]


def tell(message: Message, ids: Collection[str] | None = None) -> None:
    """Send the message to every connection; one that cannot be reached keeps it from no other, and is logged."""
    for connection_id in connections() if ids is None else ids:
        try:
            # `notify`, not a call of the notifier: that renders the text as a template, and causes hold anything.
            notifier(connection_id, message).notify({})
        except Exception as error:  # noqa: BLE001 - drivers share no base class; who cannot be told hides nobody
            _log.error("cannot tell %s: %s: %s", connection_id, type(error).__name__, error)


def notifier(connection_id: str, message: Message) -> BaseNotifier:
    """Airflow's notifier for a connection of that type. Raises ValueError for a type that none is for."""
    found = Connection.get(connection_id)
    extra: Mapping[str, Any] = found.extra_dejson
    if found.conn_type == "http":
        from airflow.providers.http.notifications.http import HttpNotifier

        body = {"title": message.title, "text": message.text, **message.facts}
        headers = {"Content-Type": "application/json"}
        return HttpNotifier(http_conn_id=connection_id, endpoint="", json=body, headers=headers)
    if found.conn_type == "smtp":
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(
            smtp_conn_id=connection_id, to=extra["to"], subject=message.title, html_content=message.html
        )
    if found.conn_type == "slackwebhook":
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

        return SlackWebhookNotifier(slack_webhook_conn_id=connection_id, text=message.text)
    if found.conn_type == "slack":
        from airflow.providers.slack.notifications.slack import SlackNotifier

        return SlackNotifier(slack_conn_id=connection_id, text=message.text, channel=extra.get("channel", "#general"))
    raise ValueError(
        f"no notifier for connections of type {found.conn_type!r}: it may be http, smtp, slack or slackwebhook"
    )


def _which(context: Context) -> str:
    """The run's recipe and release, or its DAG."""
    parts = _store(context).split("/")[-2:]
    return " ".join(part.removesuffix(".yaml") for part in parts) if parts[-1] else str(context["dag"].dag_id)


def _store(context: Context) -> str:
    """Where the run's shards lie; "" where its form does not say."""
    params: Mapping[str, Any] = context.get("params") or {}
    return store_of(params) if {"recipe", "release", "store"} <= set(params) else ""


def _facts(context: Context, failure: Failure | None = None) -> dict[str, str]:
    dag: Any = context["dag"]
    run = RunOf(dag.dag_id, context["run_id"])
    store = _store(context)
    place = {"store": store} if store else {}
    return {"run": run.run_id, "dag": run.dag_id, **place, "link": _link(run, failure)}


def _link(run: RunOf, failure: Failure | None = None) -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    link = f"{base}/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}"
    if failure is None:
        return link
    mapped = "" if failure.map_index < 0 else f"/mapped/{failure.map_index}"
    return f"{link}/tasks/{failure.task}{mapped}"
