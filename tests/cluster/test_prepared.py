"""What a cluster needs before its first run, and what tells whether a component is well."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from tracemill_airflow import health
from tracemill_airflow.prepare import make_bucket, read_store


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
