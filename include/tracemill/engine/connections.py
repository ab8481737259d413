"""Reads `s3://CONNECTION@bucket/prefix` as Airflow's tasks do, where there is no Airflow: on a laptop, in the cluster.

The connection is what Airflow takes from its environment too: AIRFLOW_CONN_NAME, as JSON or as a URI.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import fsspec

from tracemill.errors import StoreError

Opener = Callable[[str], tuple[Any, str]]  # URL -> file system and the path there
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
    found = connection(text, variable)
    if found["extra"].get("role_arn"):
        raise StoreError(
            f"{url}: the connection in {variable} assumes a role (role_arn), which Airflow's tasks alone do: put the "
            "role's own key, secret and aws_session_token into it here, or name a profile (profile_name)"
        )
    return f"{_SCHEME}{path}", s3_options(found)


def open_urls_with(opener: Opener) -> None:
    """Open URLs beside the run's store (recipes, paid answers) as `opener` does, from now on: for schedulers that keep
    credentials in connections of their own.
    """
    _OPENERS.append(opener)


def open_url(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path there. Raises what the driver raises, StoreError without its connection."""
    return _OPENERS[-1](url)


def _by_environment(url: str) -> tuple[Any, str]:
    place, options = place_of(url, os.environ)
    fs, path = fsspec.core.url_to_fs(place, use_listings_cache=False, **options)
    return fs, str(path)


_OPENERS: list[Opener] = [_by_environment]


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
    """What s3fs needs of a connection to AWS or to a server of one's own, by the keys that Airflow reads in its extra:
    `endpoint_url` (of `service_config` before the general one), `region_name`, `verify`, `profile_name`, and
    `config_kwargs`, such as {"s3": {"addressing_style": "virtual"}}.
    """
    extra = connection.get("extra") or {}
    own = (extra.get("service_config") or {}).get("s3") or {}
    client = {key: extra[key] for key in ("endpoint_url", "region_name") if extra.get(key)}
    client |= {key: value for key, value in {"endpoint_url": own.get("endpoint_url")}.items() if value}
    client |= {"verify": extra["verify"]} if extra.get("verify") is not None else {}
    options: dict[str, Any] = {"client_kwargs": client} if client else {}
    key = connection.get("login") or extra.get("aws_access_key_id")
    if key:
        secret = connection.get("password") or extra.get("aws_secret_access_key")
        options |= {"key": key, "secret": secret}
    names = {"token": "aws_session_token", "profile": "profile_name", "config_kwargs": "config_kwargs"}
    return options | {name: extra[said] for name, said in names.items() if extra.get(said)}


def _from_uri(text: str) -> dict[str, Any]:
    """aws://KEY:SECRET@/?endpoint_url=...; the extra may be one JSON value, __extra__."""
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")
    extra: dict[str, Any] = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    return {"login": unquote(parts.username or ""), "password": unquote(parts.password or ""), "extra": extra}
