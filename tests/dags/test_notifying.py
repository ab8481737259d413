"""People are told how a run ended, on real sockets, in the error's own words; who cannot be told hides nobody."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.header import decode_header, make_header
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler

from tests.build.webhook import Hook, webhook
from tracemill.errors import RecipeError
from tracemill_airflow.failing import RunEnded, leave_word
from tracemill_airflow.notifying import Message, about_failure, connections, failed, late, succeeded, tell

MESSAGE = Message(
    "tracemill: demo v1 failed in distill[3]",
    {"stage": "distill", "shards": "shards 8–15", "cause": "ServingError: no {{ server }} <came> {% in %} time"},
)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as made:
        yield made


class Mails(MailHandler):
    """Keeps the mails that come in."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    def prepare_message(self, _session: Any, envelope: Any) -> Any:
        return message_from_bytes(envelope.content)

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


@contextmanager
def mail_server() -> Iterator[tuple[Mails, int]]:
    mails = Mails()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()  # type: ignore[no-untyped-call]
    try:
        yield mails, port
    finally:
        controller.stop()  # type: ignore[no-untyped-call]


def connect(patch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def test_a_webhook_gets_every_fact_word_for_word(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: Airflow renders a notifier's text as a template; a cause may hold anything, LaTeX and braces as well."""
    connect(monkeypatch, "hook", conn_type="http", host=f"{hook.url}/in")
    tell(MESSAGE, ["hook"])
    ((path, body),) = hook.posted
    assert path == "/in"
    assert body["title"] == MESSAGE.title
    assert body["cause"] == MESSAGE.facts["cause"]
    assert "shards 8–15" in body["text"]


def test_slack_gets_it_through_its_webhook(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    host = hook.url
    connect(monkeypatch, "team", conn_type="slackwebhook", host=host, password="T0/B0/token")
    tell(MESSAGE, ["team"])
    ((path, body),) = hook.posted
    assert path == "/T0/B0/token"
    assert MESSAGE.facts["cause"] in body["text"]


def test_a_mail_has_the_title_as_its_subject_and_shows_what_looks_like_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as (mails, port):
        extra = {"to": "data@example.org", "from_email": "mill@example.org", "disable_ssl": True, "disable_tls": True}
        connect(monkeypatch, "mail", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)
        tell(MESSAGE, ["mail"])
    (mail,) = mails.mails
    assert str(make_header(decode_header(mail["Subject"]))) == MESSAGE.title
    assert mail["To"] == "data@example.org"
    body = next(part for part in mail.walk() if part.get_content_type() == "text/html").get_payload(decode=True)
    assert "no {{ server }} &lt;came&gt; {% in %} time" in body.decode()


def test_whoever_cannot_be_told_keeps_it_from_nobody(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "hook", conn_type="http", host=hook.url)
    connect(monkeypatch, "away", conn_type="http", host="http://127.0.0.1:9")
    connect(monkeypatch, "fax", conn_type="ssh", host="127.0.0.1")
    tell(MESSAGE, ["nobody_knows", "away", "fax", "hook"])
    assert len(hook.posted) == 1


def context(**more: Any) -> Any:
    dag = SimpleNamespace(dag_id="reasoning_distillation", task_ids=["plan"])
    params = {"recipe": "demo", "release": "v1", "store": "file:///stores"}
    return {"dag": dag, "run_id": "", "params": params, **more}


def test_a_run_that_ran_out_of_time_says_so_with_its_link(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMILL_NOTIFY", "hook, ")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.example:8080/")
    connect(monkeypatch, "hook", conn_type="http", host=hook.url)
    assert connections() == ["hook"]
    failed(context(reason="timed_out"))
    ((_, body),) = hook.posted
    assert body["title"] == "tracemill: demo v1 failed"
    assert body["cause"] == "timed_out"
    assert body["store"] == "file:///stores/demo/v1"
    assert body["link"].startswith("http://airflow.example:8080/dags/reasoning_distillation/runs/")


def test_nobody_is_told_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACEMILL_NOTIFY", raising=False)
    assert connections() == []
    succeeded(context())
    assert about_failure(context()).facts["cause"] == "unknown"


class Instance:
    """A task instance that keeps what is pushed."""

    task_id, map_index, task = "refine.distill", 3, SimpleNamespace(stage="distill")

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@pytest.mark.parametrize(
    ("error", "word"),
    [
        pytest.param(RecipeError("no such key"), "no such key", id="its own failure"),
        pytest.param(RecipeError("x" * 5000), "x" * 2000, id="an error that quotes a whole log"),
        pytest.param(RunEnded("task distill[0] failed"), None, id="it only ended with the run"),
        pytest.param(None, None, id="killed: nobody knows why"),
    ],
)
def test_a_task_leaves_word_of_its_own_failure_only(error: Exception | None, word: str | None) -> None:
    instance = Instance()
    leave_word({"ti": instance, "exception": error, "shard_name": "shards 8–15"})  # type: ignore[typeddict-item]
    if word is None:
        assert instance.pushed == {}
        return
    left = instance.pushed["failure"]
    assert (left["stage"], left["shards"], left["text"]) == ("distill", "shards 8–15", word)
    assert left["error"] == "RecipeError"


async def told_late() -> None:
    await late({"dag_run": {"dag_id": "refresh", "dag_run_id": "scheduled 1"}, "deadline": {}})


def test_a_late_run_is_told_of_and_goes_on(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setenv("TRACEMILL_NOTIFY", "hook")
    connect(monkeypatch, "hook", conn_type="http", host=hook.url)
    asyncio.run(told_late())
    ((_, body),) = hook.posted
    assert body["title"] == "tracemill: refresh is late and goes on"
    assert body["run"] == "scheduled 1"
