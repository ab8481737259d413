"""The endpoints that are up before a run begins, as the environment names them; other servers are found by leases.

TRACEMILL_ENDPOINTS is JSON: {"MODEL": [{"url": "http://host:8000", "model": "name there", "key": "secret"}], ...}.
Under Airflow it is made from connections. Secrets stay in the environment: never in a recipe, a lease or a log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, field_validator

from tracemill.errors import RecipeError

ENDPOINTS = "TRACEMILL_ENDPOINTS"
API_KEY = "TRACEMILL_API_KEY"


class Endpoint(BaseModel):
    """One address that answers for a model; `model` is its name there, `life` tells a new server from an old one.

    `server` is the name under which a server of the run writes down what it costs, `engine` its engine's version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    url: Annotated[str, Field(pattern=r"^[a-z]+://")]
    model: str
    key: SecretStr | None = None
    life: str = ""
    server: str = ""
    engine: str = ""

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        """The key without a line end; an HTTP client would repeat one that no header can hold in its error."""
        plain = key.get_secret_value().strip() if key else ""
        if not (plain.isascii() and plain.isprintable()):
            raise ValueError("the key holds characters that no key has: copy the key anew")
        return SecretStr(plain) if plain else None

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request there."""
        return {"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {}


def fixed_endpoints(model: str, environment: Mapping[str, str]) -> list[Endpoint]:
    """The endpoints that the environment names for a model. Raises RecipeError when that is not the documented JSON."""
    try:
        known = TypeAdapter(dict[str, list[Endpoint]]).validate_json(environment.get(ENDPOINTS) or "{}")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise RecipeError(f'{ENDPOINTS} is not {{"MODEL": [{{"url": ..., "model": ...}}]}}: {wrong}') from None
    return known.get(model, [])


def with_endpoints(environment: Mapping[str, str], model: str, endpoints: list[Endpoint]) -> dict[str, str]:
    """The environment with these endpoints for a model added, as a client of this module reads it."""
    known = json.loads(environment.get(ENDPOINTS) or "{}")
    plain = [
        e.model_dump(exclude={"life", "server"}) | {"key": e.key.get_secret_value() if e.key else None}
        for e in endpoints
    ]
    return {**environment, ENDPOINTS: json.dumps({**known, model: plain})}
