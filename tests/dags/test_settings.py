"""Times and words of the environment: read, or refused by name in a run's first task."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill_airflow import settings
from tracemill_airflow.demo import together
from tracemill_airflow.watched import watched, watched_task


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("90m", timedelta(minutes=90)),
        ("36h", timedelta(hours=36)),
        (" 1.5 d ", timedelta(hours=36)),
        ("30s", timedelta(seconds=30)),
    ],
)
def test_times(monkeypatch: pytest.MonkeyPatch, text: str, found: timedelta | None) -> None:
    monkeypatch.setenv("TRACEMILL_RUN_TIMEOUT", text)
    assert settings.span(settings.RUN_TIMEOUT) == found
    assert watched()["dagrun_timeout"] == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("TRACEMILL_RUN_TIMEOUT", "36", id="of which unit?"),
        pytest.param("TRACEMILL_RUN_DEADLINE", "soon", id="a word"),
        pytest.param("TRACEMILL_TASK_TIMEOUT", "-1h", id="before it began"),
        pytest.param("TRACEMILL_TASK_TIMEOUT", "0m", id="no time at all would fail every task"),
        pytest.param("TRACEMILL_ON_FAILURE", "ignore", id="a word of neither kind"),
        pytest.param("TRACEMILL_SERVE_AHEAD", "two", id="a number in letters"),
    ],
)
def test_what_cannot_be_read_fails_the_first_task_and_no_dag_file(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    assert watched()["dagrun_timeout"] is None
    assert watched_task()["execution_timeout"] is None
    with pytest.raises(RecipeError, match=f"{name} is {text!r}"):
        settings.check()


def test_a_deadline_is_an_alert_of_the_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMILL_RUN_DEADLINE", "2h")
    assert watched()["deadline"].interval == timedelta(hours=2)
    monkeypatch.delenv("TRACEMILL_RUN_DEADLINE")
    assert watched()["deadline"] is None


def test_the_demos_servers_take_no_stage_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: two servers on two workers, and the stage that asks them waits for a worker until they leave."""
    for name in ("TRACEMILL_SERVE_AHEAD", "AIRFLOW__CORE__PARALLELISM"):
        monkeypatch.delenv(name, raising=False)
    alone, two = together(1), together(2)
    assert (alone["TRACEMILL_SERVE_AHEAD"], two["TRACEMILL_SERVE_AHEAD"]) == ("0", "3")
    assert int(two["AIRFLOW__CORE__PARALLELISM"]) - 2 >= 2


def test_the_local_servers_store_lies_beside_it_whatever_the_clone_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracemill_airflow.local import settings

    monkeypatch.delenv("TRACEMILL_STORE", raising=False)
    url = settings(tmp_path / "my clone" / "airflow", 8080)["TRACEMILL_STORE"]
    assert Store.at(url, create=True).root == str(tmp_path / "my clone" / "store")
