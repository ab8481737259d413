"""A model behind an API key: where it is, what it costs, how fast it may be asked, and which fields its provider takes.

Where a model answers, the key, the price and the rates change no answer, so they are in no fingerprint and no sample's
key. What is: the provider, the model's name there, and `as_of`, since nobody outside knows which weights a name means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.prices import Price
from tracemill.models.profiles import CALLED, HOSTS, IDLE, NO_BATCHES, NO_MATTER, ONE_OF_TWO, OURS, TAKES, Profile

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_VERSIONED = re.compile(r"/v\d+\w*(?:/|$)")
_REASONS = re.compile(r"(?:^|/)(?:o\d|gpt-5)")  # models of OpenAI that take no temperature but 1 and no penalties
_NOT_REASONING = {"temperature", "top_p", "presence_penalty"}


class Batch(BaseModel):
    """How a provider's batch API is used: `price_share` of the price is paid, it has `window` to answer, and is looked
    at every `poll` seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    window: str = "24h"
    price_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    poll: Annotated[float, Field(gt=0)] = 60.0


class Api(BaseModel):
    """An OpenAI-compatible API. `url` may end in /v1 or not; `key` is ${NAME} of an environment variable.

    `as_of` is the date (or any word) that stands for what the name meant when it was asked: change it to ask anew.
    `limit` stops asking when so much money is spent on this store; nothing that was answered is lost. Rates are per
    minute, for all tasks together. `profile` says which fields are sent; by default the provider's, by its address.
    `batch` (true, or its settings) asks through the provider's batch API: slower, for half the price, and the answers
    are kept under the same keys. OpenAI has one, and what speaks as it does (LiteLLM, Groq, Together).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: Annotated[str, Field(pattern=r"^https?://[^/]+")]
    model: str  # the model's name there
    key: str | None = None
    as_of: str | None = None
    profile: Profile | None = None
    price: Price | None = None
    limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None  # null: no bound of ours
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None  # null: no bound of ours
    batch: Batch | None = None

    @field_validator("batch", mode="before", json_schema_input_type=Batch | bool | None)
    @classmethod
    def _yes_or_settings(cls, given: Any) -> Any:
        return Batch() if given is True else None if given is False else given

    @model_validator(mode="after")
    def _has_batches(self) -> Api:
        if self.batch and self.takes in NO_BATCHES:
            raise ValueError(f"{self.takes} has no batch API as OpenAI's: leave `batch` out")
        return self

    @model_validator(mode="after")
    def _limit_can_be_reached(self) -> Api:
        if self.limit is not None and not (self.price and self.price.is_any):
            raise ValueError("`limit` would never be reached without a price above zero: give `price`, or leave it out")
        return self

    @property
    def paid(self) -> Price | None:
        """The price as it is paid: a batch costs its share of it."""
        if self.price is None or self.batch is None:
            return self.price
        share = self.batch.price_share
        return self.price.model_copy(update={"input": self.price.input * share, "output": self.price.output * share})

    @field_validator("as_of", mode="before")
    @classmethod
    def _as_written(cls, given: Any) -> Any:
        return given.isoformat() if isinstance(given, date) else given  # YAML makes dates of what looks like one

    @field_validator("key")
    @classmethod
    def _no_literal_key(cls, key: str | None) -> str | None:
        if key is not None and not _VARIABLE.fullmatch(key):
            raise ValueError(
                "a key in a recipe would end in the store, in logs and on the card: write ${NAME} and set that "
                "environment variable, or leave it out and use the Airflow connection tracemill_MODEL"
            )
        return key

    @field_validator("url")
    @classmethod
    def _no_secret_in_the_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query:
            raise ValueError("the address holds a name, a key or a query: give the key as ${NAME} in `key`")
        return url

    @property
    def provider(self) -> str:
        """The provider's host without its first label of "api.": what is known of who answers."""
        return (urlsplit(self.url).hostname or "").removeprefix("api.")

    @property
    def takes(self) -> Profile:
        """The profile that is used."""
        host = self.provider
        for end, profile in HOSTS:
            if self.profile is None and (host == end or host.endswith(f".{end}")):
                return profile
        return self.profile or "compatible"

    @property
    def is_unlisted(self) -> bool:
        """Whether nobody said which fields are taken at this address, and no profile knows it."""
        return self.profile is None and self.takes == "compatible"

    def identity(self) -> str:
        """What its answers are kept under."""
        return f"api {self.provider} {self.model}" + (f" as of {self.as_of}" if self.as_of else "")

    def secret(self, resources: Resources) -> str | None:
        """The key itself. Raises RecipeError naming the environment variable that is not set."""
        if self.key is None:
            return None
        name = _VARIABLE.sub(r"\1", self.key)
        found = resources.environment.get(name, "").strip()  # a file's last line ends in a newline
        if not found:
            raise RecipeError(f"the environment variable {name} is not set: it must hold the key for {self.url}")
        if not (found.isascii() and found.isprintable()):  # an HTTP client would repeat the key in its error
            raise RecipeError(f"the environment variable {name} holds characters that no key has: copy the key anew")
        return found

    def adapted(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """The body as this provider takes it, and the fields that are not sent because they are only ours.

        Raises RecipeError for a field that somebody set and this provider would refuse. Fields of `extra_body` that
        tracemill has no name for are sent as they are: whoever wrote them knows the provider better.
        """
        refused = self.refuses(body)
        if refused:
            raise RecipeError(f"model {self.model!r} behind {self.provider}: {refused}")
        takes = TAKES[self.takes]
        if takes is None or "messages" not in body:
            return dict(body), set()
        called = CALLED.get(self.takes, {})
        left_out = {name for name in body if name in OURS and called.get(name, name) not in takes}
        if self._only_reasons:
            left_out |= _NOT_REASONING & body.keys()
        said = {name: value for name, value in body.items() if name not in left_out | self._unsaid(body)}
        return {called.get(name, name): value for name, value in said.items()}, left_out

    def _unsaid(self, body: Mapping[str, Any]) -> set[str]:
        """The one of temperature and top-p that says nothing, where a provider takes only one of the two."""
        both = ("top_p", "temperature") if self.takes in ONE_OF_TWO else ()
        return set([name for name in both if body.get(name) == 1][:1])

    def refuses(self, body: Mapping[str, Any]) -> str | None:
        """What to change when the body holds a field that decides the answer and that this provider does not take."""
        takes = TAKES[self.takes]
        if takes is None or "messages" not in body:
            return None
        unknown = {name for name in body if name in OURS and name not in takes}
        decisive = sorted(name for name in unknown if name not in IDLE or body[name] != IDLE[name])
        decisive = [name for name in decisive if name not in NO_MATTER]
        if not decisive:
            return None
        return (
            f"it takes no {', '.join(decisive)} (profile {self.takes!r}): remove what the recipe says of it, put the "
            "provider's own field into sampling.extra_body, or set api.profile: compatible to send everything"
        )

    @property
    def _only_reasons(self) -> bool:
        return self.takes == "openai" and bool(_REASONS.search(self.model))


def address(base: str, route: str) -> str:
    """Where a route is: base addresses are given with and without their version (/v1, /api/v1, /v1beta/openai).

    An engine's own routes, which have no version, lie beside /v1.
    """
    base = base.rstrip("/")
    if not route.startswith("/v1/"):
        return base.removesuffix("/v1") + route
    if _VERSIONED.search(urlsplit(base).path):
        return base + route.removeprefix("/v1")
    return base + route
