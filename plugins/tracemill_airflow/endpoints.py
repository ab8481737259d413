"""Where models answer according to Airflow: the connection tracemill_MODEL, if there is one, names an endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr, ValidationError

if TYPE_CHECKING:
    from tracemill.engine.resources import Resources
    from tracemill.models.endpoints import Endpoint

SHARED_SAMPLES = "../../samples"  # from <store>/<recipe>/<release>: one sample store for all recipes and releases


def connection_id(model: str) -> str:
    """The connection that says where a model answers: "qwen2.5-7b" is at tracemill_qwen2_5_7b."""
    return "tracemill_" + "".join(c if c.isalnum() else "_" for c in model)


def endpoint_of(model: str) -> Endpoint | None:
    """The endpoint in the model's connection: host (or URL), port, password as key, extra {"model": its name there}."""
    from tracemill.errors import RecipeError
    from tracemill.models.endpoints import Endpoint

    try:
        connection = Connection.get(connection_id(model))
    except AirflowNotFoundException:
        return None
    host = connection.host or "127.0.0.1"
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    url = f"{url}:{connection.port}" if connection.port else url
    key = SecretStr(connection.password) if connection.password else None
    try:
        return Endpoint(url=url, model=connection.extra_dejson.get("model", model), key=key)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise RecipeError(f"the connection {connection_id(model)} names no endpoint: {wrong}") from None


def with_connections(machine: Resources, models: Iterable[str]) -> Resources:
    """The machine with the endpoints of these models' connections and the shared sample store in its environment."""
    from dataclasses import replace

    from tracemill.engine.keys import SAMPLES
    from tracemill.models.endpoints import fixed_endpoints, with_endpoints

    environment = {SAMPLES: SHARED_SAMPLES, **machine.environment}
    for model in models:
        endpoint = None if fixed_endpoints(model, os.environ) else endpoint_of(model)
        if endpoint:
            environment = with_endpoints(environment, model, [endpoint])
    return replace(machine, environment=environment)
