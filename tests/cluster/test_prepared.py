"""What a cluster needs before its first run, and what tells whether a component is well."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import s3fs
from celery import Celery
from celery.contrib.testing.worker import start_worker
from cryptography.fernet import Fernet
from moto.server import ThreadedMotoServer

from tracemill_airflow import health
from tracemill_airflow.prepare import make_bucket, read_store, require_fernet, require_folders


class Says(BaseHTTPRequestHandler):
    """An API server whose scheduler is dead."""

    def do_GET(self) -> None:
        assert self.path == "/api/v2/monitor/health"
        body = json.dumps({"metadatabase": {"status": "healthy"}, "scheduler": {"status": "unhealthy"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/execution/"
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", url)
        yield
        server.shutdown()


@pytest.mark.parametrize(("component", "status"), [("metadatabase", 0), ("scheduler", 1)])
def test_a_component_is_as_well_as_the_api_says(component: str, status: int, api: None) -> None:
    assert health.main(component) == status


def test_an_api_that_is_down_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:9/execution/")
    with pytest.raises(OSError, match="refused"):
        health.main("scheduler")


def test_a_worker_that_nobody_hears_of_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "memory://")
    monkeypatch.setattr(health, "SECONDS", 0.1)
    assert health.main("worker") == 1


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """A Celery worker of this host that listens to `default`, in a thread."""
    app = Celery("health", broker="memory://", backend="cache+memory://")
    app.conf.update(worker_hijack_root_logger=False, task_default_queue="default")
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "memory://")
    with start_worker(app, hostname=f"celery@{socket.gethostname()}", perform_ping_check=False):
        yield app


def test_a_worker_that_takes_tasks_is_well_until_it_has_lost_its_queues(worker: Celery) -> None:
    """Trap: after Redis was restarted a worker answers pings and takes no task for ever."""
    ended: list[str] = []
    assert health.main("worker", lambda: ended.append("container")) == 0
    assert ended == []
    worker.control.cancel_consumer("default", reply=True)
    assert health.main("worker", lambda: ended.append("container")) == 1
    assert ended == ["container"]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        pytest.param(b"/usr/bin/tini\0--\0airflow\0celery\0worker\0", [(1, signal.SIGTERM)], id="the image's"),
        pytest.param(b"/sbin/init\0splash\0", [], id="a machine's own, which is no container"),
    ],
)
def test_only_a_container_of_ours_is_ended(line: bytes, asked: list[tuple[int, int]], tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_bytes(line)
    killed: list[tuple[int, int]] = []
    health.end_container(tmp_path / "cmdline", lambda process, how: killed.append((process, how)))
    assert killed == asked


ADDRESS = "postgresql+psycopg2://airflow:{}@postgres/airflow"
STORE = '{{"conn_type": "aws", "login": "k", "password": "{}"}}'


@pytest.mark.parametrize("secret", ["a@b", "a/b", "a:b@c", "a%41", "a#b", "a b", "ä"])
def test_a_password_that_breaks_the_databases_address_is_named(secret: str) -> None:
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ADDRESS.format(secret),
        "AIRFLOW_CONN_STORE": STORE.format("s"),
    }
    with pytest.raises(SystemExit, match=r"POSTGRES_PASSWORD of \.env"):
        read_store(environment)


@pytest.mark.parametrize("secret", ['a"b', "a\\b", "a\\u0041"])
def test_a_secret_that_breaks_the_connection_is_named(secret: str) -> None:
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ADDRESS.format("p"),
        "AIRFLOW_CONN_STORE": STORE.format(secret),
    }
    with pytest.raises(SystemExit, match="OBJECTS_SECRET"):
        read_store(environment)


def test_a_secret_as_the_example_makes_it_is_taken() -> None:
    made = "0f-_.~Aa9"
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ADDRESS.format(made),
        "AIRFLOW_CONN_STORE": STORE.format(made),
    }
    assert read_store(environment)["password"] == made


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("0f" * 32, id="hex, as the other secrets are"),
        pytest.param("", id="nothing"),
        pytest.param("a" * 43, id="cut"),
        pytest.param(f"{Fernet.generate_key().decode()},{'0f' * 32}", id="a good one, and an old one that never was"),
    ],
)
def test_what_is_no_fernet_key_is_named_before_anything_is_made(key: str) -> None:
    with pytest.raises(SystemExit, match=r"AIRFLOW_FERNET_KEY of \.env .*openssl rand -base64 32"):
        require_fernet(key)


def test_a_fernet_key_and_its_successor_are_taken() -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    require_fernet(old)
    require_fernet(f"{new},{old}")


def test_a_folder_that_the_containers_user_may_not_read_is_named(tmp_path: Path) -> None:
    """Trap: with umask 077 the form had no own recipes and said nothing."""
    environment = {"TRACEMILL_DATA": str(tmp_path / "data"), "TRACEMILL_RECIPES": str(tmp_path / "recipes")}
    for place in environment.values():
        Path(place).mkdir()
    require_folders(environment)
    (tmp_path / "recipes").rmdir()
    with pytest.raises(SystemExit, match=r"TRACEMILL_RECIPES of \.env .* chmod -R a\+rX"):
        require_folders(environment)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_bucket_is_made_once_wherever_it_lies(region: str) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    extra = {"endpoint_url": f"http://{host}:{port}", "region_name": region}
    connection = {"login": "k", "password": "s", "extra": extra}
    for _ in range(2):
        make_bucket(connection, f"s3://store@made-in-{region}/below")
    found = s3fs.S3FileSystem(key="k", secret="s", client_kwargs=extra, skip_instance_cache=True)
    assert found.exists(f"made-in-{region}")
    server.stop()
