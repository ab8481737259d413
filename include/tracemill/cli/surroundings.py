"""Looks at what lies around this machine: settings, recipes, models, stores, connections, the Hub; shows no secret."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tracemill.cli.checks import Check
from tracemill.engine.connections import connection, s3_options
from tracemill.engine.resources import Resources
from tracemill.engine.variables import CONNECTION, VARIABLES
from tracemill.errors import TracemillError
from tracemill.models.endpoints import ENDPOINTS, fixed_endpoints
from tracemill.recipe_places import recipe_files

_PATIENCE = 3.0  # seconds for an address to take a connection
_HUB = "https://huggingface.co"
_FOLDERS = ("TRACEMILL_DATA", "TRACEMILL_BENCHMARKS", "TRACEMILL_MODELS")


def surroundings(machine: Resources) -> Iterator[Check]:
    """Everything around the machine that its environment names, and the stores below var/."""
    yield _settings(machine)
    yield from (_folder(name, machine) for name in _FOLDERS)
    looks: tuple[Callable[[Resources], Check], ...] = (_recipes, _endpoints, _stores, _hub)
    for look in looks:
        yield look(machine)
    for name in sorted(machine.environment):
        if name.startswith(CONNECTION):
            yield _connection(name, machine)


def _settings(machine: Resources) -> Check:
    """What is set; the value of a secret is not shown, and of an address not what stands before its @."""
    found = [
        f"{one.name}={'(set)' if one.secret else _without_login(machine.environment[one.name])}"
        for one in VARIABLES
        if machine.environment.get(one.name)
    ]
    return Check("settings", "yes" if found else "no", ", ".join(found) or "no TRACEMILL_ variable is set")


def _without_login(text: str) -> str:
    scheme, found, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if found and ":" in host.rpartition("@")[0] else text


def _folder(name: str, machine: Resources) -> Check:
    place = machine.environment.get(name)
    if not place:
        return Check(name, "no", "not set", f"set {name} where a recipe names ${{{name}}}")
    remedy = f"make it, or set {name} to the folder that is meant"
    try:
        if Path(place).is_dir():
            return Check(name, "yes", f"{sum(1 for _ in Path(place).iterdir()):,} entries")
    except OSError as error:
        return Check(name, "broken", f"cannot be read: {error}", remedy)
    return Check(name, "broken", f"{place} is no folder", remedy)


def _recipes(machine: Resources) -> Check:
    try:
        return Check("recipes", "yes", ", ".join(recipe_files()))
    except TracemillError as error:
        return Check("recipes", "broken", "those of TRACEMILL_RECIPES cannot be read", str(error))


def _endpoints(machine: Resources) -> Check:
    try:
        fixed_endpoints("", machine.environment)
    except TracemillError as error:
        return Check("model servers", "broken", f"{ENDPOINTS} cannot be read", str(error))
    if not machine.environment.get(ENDPOINTS):
        remedy = f"{ENDPOINTS}, or an Airflow connection tracemill_MODEL, names one that is up"
        return Check("model servers", "no", "none is named: runs start their own", remedy)
    return Check("model servers", "yes", f"{ENDPOINTS} is as documented")


def _stores(machine: Resources) -> Check:
    """The stores on this machine's disk; what lies elsewhere is told by its connection."""
    place = machine.environment.get("TRACEMILL_STORE") or "var/store"
    local = place.removeprefix("file://")
    if "://" in local:
        return Check("stores", "yes", f"{_without_login(place)}; its connection says whether it answers")
    found = sorted(str(one.parent) for one in Path(local).glob("*/*/recipe.json"))
    return Check("stores", "yes" if found else "no", ", ".join(found) or f"none below {local}")


def _hub(machine: Resources) -> Check:
    if machine.environment.get("HF_HUB_OFFLINE", "0").upper() in {"1", "ON", "YES", "TRUE"}:
        return Check("Hub", "no", "HF_HUB_OFFLINE is set: only what its cache holds", "export HF_HUB_OFFLINE=0")
    url = machine.environment.get("HF_ENDPOINT") or _HUB
    if _speaks_http(url):
        return Check("Hub", "yes", f"{_without_login(url)} answers")
    remedy = "sources by `path` need no Hub; behind a proxy or a mirror set HTTPS_PROXY or HF_ENDPOINT"
    return Check("Hub", "no", f"{_without_login(url)} does not answer", remedy)


def _connection(name: str, machine: Resources) -> Check:
    """A connection's type and address, and whether something answers there; its login is not shown."""
    shown = f"connection {name.removeprefix(CONNECTION).lower()}"
    try:
        found = connection(machine.environment[name], name)
    except TracemillError as error:
        return Check(shown, "broken", "cannot be read", str(error))
    kind = str(found.get("conn_type") or urlsplit(machine.environment[name]).scheme or "of no type")
    url = str(s3_options(found).get("client_kwargs", {}).get("endpoint_url") or "")
    if not url:
        return Check(shown, "yes", kind)
    place = _without_login(url)
    if _answers(url):
        return Check(shown, "yes", f"{kind}, {place} answers")
    return Check(shown, "broken", f"{kind}, {place} does not answer", "start the server, or correct endpoint_url")


def _speaks_http(url: str) -> bool:
    """Whether a web server answers, through a proxy where the environment names one."""
    try:
        httpx.head(url, timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False
    return True


def _answers(url: str) -> bool:
    """Whether something takes a TCP connection at an address."""
    place = urlsplit(url)
    try:
        port = place.port or (443 if place.scheme == "https" else 80)
        with socket.create_connection((place.hostname or "", port), _PATIENCE):
            return True
    except (OSError, ValueError):
        return False
