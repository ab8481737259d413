"""Reads `s3://CONNECTION@bucket/prefix` as Airflow's tasks do, where there is no Airflow: on a laptop, in the cluster.

The connection is what Airflow takes from its environment too: AIRFLOW_CONN_NAME, as JSON or as a URI.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tracemill.errors import StoreError

_SCHEME = "s3://"


def place_of(url: str, environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The plain fsspec URL of a place and the options that open it; other URLs are returned as they are.

    Raises StoreError naming the variable when the connection is not in the environment, or is none.
    """
    rest = url.removeprefix(_SCHEME)
    name, at, path = rest.partition("@")
    if rest == url or not at or "/" in name:
        return url, {}
    variable = f"AIRFLOW_CONN_{name.upper()}"
    try:
        text = environment[variable]
    except KeyError:
        raise StoreError(
            f"{url}: there is no connection {name!r} here: set {variable} to what Airflow has, such as "
            '\'{"conn_type": "aws", "login": "KEY", "password": "SECRET", "extra": {"endpoint_url": "http://HOST:8333"}}\''
        ) from None
    return f"{_SCHEME}{path}", s3_options(connection(text, variable))


def url_of(folder: Path) -> str:
    """The fsspec URL of a folder of this machine. Unlike `Path.as_uri` a space stays one: fsspec decodes nothing, and
    made the store of a clone in `my clone` beside it, in `my%20clone`.
    """
    return f"file://{folder.absolute()}"


def connection(text: str, variable: str) -> dict[str, Any]:
    """A connection's login, password and extra, from JSON or a URI. Raises StoreError without showing what it holds."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else _from_uri(text)
        extra = found.get("extra") or {}
        found["extra"] = json.loads(extra) if isinstance(extra, str) else dict(extra)
    except (ValueError, TypeError, AttributeError):
        raise StoreError(f"{variable} is no connection: it should be JSON, or a URI as Airflow writes them") from None
    return dict(found)


def s3_options(connection: Mapping[str, Any]) -> dict[str, Any]:
    """What s3fs needs of a connection to AWS or to a server of one's own (`endpoint_url`, `region_name`)."""
    extra = connection.get("extra") or {}
    client = {key: extra[key] for key in ("endpoint_url", "region_name") if extra.get(key)}
    options: dict[str, Any] = {"client_kwargs": client} if client else {}
    if connection.get("login"):
        options |= {"key": connection["login"], "secret": connection.get("password")}
    if extra.get("aws_session_token"):
        options["token"] = extra["aws_session_token"]
    return options


def _from_uri(text: str) -> dict[str, Any]:
    """aws://KEY:SECRET@/?endpoint_url=...; the extra may be one JSON value, __extra__."""
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")
    extra: dict[str, Any] = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    return {"login": unquote(parts.username or ""), "password": unquote(parts.password or ""), "extra": extra}
