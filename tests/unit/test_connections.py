"""`s3://CONNECTION@bucket/prefix` means without Airflow what it means to Airflow's tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from tracemill.engine.connections import place_of, url_of
from tracemill.engine.keys import samples_root
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import StoreError
from tracemill.recipe_places import find_recipe, recipe_files

KEYS = {"key": "me", "secret": "p/w+d"}
HOME = {"endpoint_url": "http://objects:8333", "region_name": "us-east-1"}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param(
            json.dumps({"conn_type": "aws", "login": "me", "password": "p/w+d", "extra": HOME}),
            {**KEYS, "client_kwargs": HOME},
            id="JSON",
        ),
        pytest.param(
            json.dumps({"conn_type": "aws", "login": "me", "password": "p/w+d", "extra": json.dumps(HOME)}),
            {**KEYS, "client_kwargs": HOME},
            id="JSON with the extra as text",
        ),
        pytest.param(
            "aws://me:p%2Fw%2Bd@/?endpoint_url=http%3A%2F%2Fobjects%3A8333&region_name=us-east-1",
            {**KEYS, "client_kwargs": HOME},
            id="URI with what must be quoted",
        ),
        pytest.param(
            "aws://me:p%2Fw%2Bd@/?__extra__=%7B%22region_name%22%3A%20%22eu-west-1%22%7D",
            {**KEYS, "client_kwargs": {"region_name": "eu-west-1"}},
            id="URI with one JSON extra",
        ),
        pytest.param("aws://", {}, id="the machine's own credentials"),
        pytest.param(
            json.dumps({"login": "me", "password": "p/w+d", "extra": {"aws_session_token": "t"}}),
            {**KEYS, "token": "t"},
            id="a session's token",
        ),
        pytest.param(
            json.dumps(
                {
                    "login": "me",
                    "password": "p/w+d",
                    "extra": {
                        **HOME,
                        "service_config": {"s3": {"endpoint_url": "https://s3.here"}},
                        "verify": False,
                        "config_kwargs": {"s3": {"addressing_style": "virtual"}},
                    },
                }
            ),
            {
                **KEYS,
                "client_kwargs": {"endpoint_url": "https://s3.here", "region_name": "us-east-1", "verify": False},
                "config_kwargs": {"s3": {"addressing_style": "virtual"}},
            },
            id="a store that wants more than most",
        ),
        pytest.param(
            json.dumps({"extra": {"aws_access_key_id": "me", "aws_secret_access_key": "p/w+d"}}),
            KEYS,
            id="keys in the extra",
        ),
        pytest.param(json.dumps({"extra": {"profile_name": "lab"}}), {"profile": "lab"}, id="a profile"),
    ],
)
def test_a_connection_is_read_as_airflow_writes_it(text: str, options: dict[str, Any]) -> None:
    assert place_of("s3://store@bucket/a/b", {"AIRFLOW_CONN_STORE": text}) == ("s3://bucket/a/b", options)


@pytest.mark.parametrize("url", ["s3://bucket/a", "s3://bucket/a@b/c", "/data/a@b", "file:///x", "memory://a@b"])
def test_other_places_are_left_alone(url: str) -> None:
    assert place_of(url, {}) == (url, {})


@pytest.mark.parametrize("name", ["my clone", "ü", "a%20b", "a#b?c", "plain"])
def test_a_folders_url_opens_that_folder(tmp_path: Path, name: str) -> None:
    """Trap: `make demo` in `my clone` made its store in `my%20clone`, where nobody looked for it."""
    Store.at(f"{url_of(tmp_path / name)}/demo/v1", create=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Store.at(str(tmp_path / name / "demo" / "v1")).on_disk


def test_a_missing_connection_is_named_with_the_variable_that_would_hold_it() -> None:
    with pytest.raises(StoreError, match=r"no connection 'cold'.*set AIRFLOW_CONN_COLD"):
        place_of("s3://cold@bucket", {})


@pytest.mark.parametrize("text", ['{"login": hunter2}', "hunter2", '{"extra": "hunter2"}', '{"extra": 3}'])
def test_what_is_no_connection_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(StoreError, match="AIRFLOW_CONN_STORE is no connection") as raised:
        place_of("s3://store@bucket", {"AIRFLOW_CONN_STORE": text})
    assert "hunter2" not in str(raised.value)


def test_a_role_that_only_airflow_assumes_is_refused_rather_than_left_out() -> None:
    """Trap: with the key alone the store answers "access denied", and nobody knows why."""
    text = json.dumps({"login": "me", "password": "hunter2", "extra": {"role_arn": "arn:aws:iam::1:role/r"}})
    with pytest.raises(StoreError, match=r"AIRFLOW_CONN_STORE assumes a role.*aws_session_token") as raised:
        place_of("s3://store@bucket", {"AIRFLOW_CONN_STORE": text})
    assert "hunter2" not in str(raised.value)


@pytest.mark.server
def test_a_store_its_paid_answers_and_recipes_open_through_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    connection = {"login": "k", "password": "s", "extra": {"endpoint_url": f"http://{host}:{port}"}}
    monkeypatch.setenv("AIRFLOW_CONN_NEAR", json.dumps(connection))
    s3fs.S3FileSystem(key="k", secret="s", client_kwargs=connection["extra"]).mkdir("connected")
    Store.at("s3://near@connected/run", create=True)
    store = Store.at("s3://near@connected/run")
    assert store.root == "connected/run"
    paid = samples_root(store, Resources(environment={"TRACEMILL_SAMPLES": "s3://near@connected/paid"}))
    paid.write_bytes("a", b"answer")
    assert store.fs.cat_file("connected/paid/a") == b"answer"
    store.fs.pipe_file("connected/recipes/mine.yaml", b"name: mine\n")
    monkeypatch.setenv("TRACEMILL_RECIPES", "s3://near@connected/recipes")
    assert recipe_files()["mine"] == "s3://near@connected/recipes/mine.yaml"
    assert find_recipe("mine").text == "name: mine\n"
    server.stop()
