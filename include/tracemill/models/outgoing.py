"""Makes of an ask the body that one server is sent: what is meant stands in the ask, how it must be said is here.

Nothing of this is in a sample's key: streaming, what a provider calls a field, the numbers of tokens with a cut answer,
and values that say nothing and that nobody wrote. Those are left out at an address that no profile knows, as it may
refuse what it does not know; but not where an engine answers (vLLM, SGLang): it would take what a request leaves open
from the model's generation_config.json.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tracemill.errors import RecipeError
from tracemill.models.continuation import going_on
from tracemill.models.endpoints import Endpoint
from tracemill.models.flight import NotOffered
from tracemill.models.model import Model
from tracemill.models.profiles import SHAPES
from tracemill.models.request import Ask
from tracemill.models.token_logprobs import asked_for
from tracemill.models.wire import ServerFault

STREAMED = {"/v1/chat/completions", "/v1/completions"}
ENGINES = {"vllm", "sglang"}  # what they call the owner of each model that they list
_BUSY = {429, 502, 503, 504}  # statuses of a list of models behind which anything may be
_TRIES = 5  # such answers, after which an address counts as no engine
Post = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
Listed = Callable[[], Awaitable[tuple[int, Any]]]
_log = logging.getLogger(__name__)


class Outgoing:
    """Bodies for the servers of one model. `streams`: answers are streamed (endpoints that were named beforehand)."""

    def __init__(self, model: Model, *, streams: bool) -> None:
        self.model = model
        self._streams = streams
        self._left_out: set[str] = set()
        self._engines: dict[str, bool] = {}
        self._shapeless: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._one_looks = asyncio.Lock()

    async def body(self, ask: Ask, endpoint: Endpoint, post: Post, listed: Listed) -> Mapping[str, Any]:
        """The body for that server, which `post` and `listed` ask for what must be known first.

        Raises RecipeError for what it cannot be told, ServerFault when it does not answer.
        """
        idle = ask.idle if ask.idle and await self._is_unknown(endpoint, listed) else frozenset()
        body: Mapping[str, Any] = {"model": endpoint.model, **ask.body}
        if ask.tokens is not None:
            body = going_on(ask.tokens, body)
        if ask.keeps_tokens:
            body = {**body, "return_token_ids": True}
        if ask.logprobs:
            body = {**body, **asked_for(ask.logprobs, ask.route)}
        if ask.route == "/v1/completions" and body.get("max_tokens") is None:
            body = {**body, **await self._rest_of_context(body, post)}
        if self._streams and ask.route in STREAMED and "prompt_logprobs" not in body:
            body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        if ask.shape and await self._shapes(endpoint, listed):
            schema = {"name": "answer", "strict": True, "schema": ask.shape}
            body = {**body, "response_format": {"type": "json_schema", "json_schema": schema}}
        return self._adapted({name: value for name, value in body.items() if name not in idle})

    def give_up_shapes(self, endpoint: Endpoint) -> None:
        """Ask that server for no shape any more: it failed on one, or seemed to."""
        if endpoint.url not in self._shapeless:
            self._shapeless.add(endpoint.url)
            _log.info("%s: %s keeps no answer to a JSON schema", self.model.name, endpoint.url)

    async def _shapes(self, endpoint: Endpoint, listed: Listed) -> bool:
        """Whether that server may keep an answer to a JSON schema; vLLM and SGLang do."""
        api = self.model.api
        if endpoint.url in self._shapeless or (api and api.takes != "compatible" and api.takes not in SHAPES):
            return False
        return not await self._is_unknown(endpoint, listed)

    def _adapted(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        api = self.model.api
        if api is None:
            return body
        found, left_out = api.adapted(body)
        if left_out - self._left_out:
            _log.warning("%s: %s takes no %s: not sent", self.model.name, api.provider, ", ".join(sorted(left_out)))
            self._left_out |= left_out
        return found

    async def _is_unknown(self, endpoint: Endpoint, listed: Listed) -> bool:
        """Whether nobody knows what it takes: an address of no profile, at which no engine answers."""
        if self.model.api is None or not self.model.api.is_unlisted:
            return False
        return not await self._lists_as_engine(endpoint, listed)

    async def shows_prompts(self, ask: Ask, endpoint: Endpoint, listed: Listed) -> bool:
        """Whether that server may be asked how it renders this request: those of the run may, and engines.

        A named one that is given a prefix is asked whatever it is: only the prompt tells whether its template
        contradicts that. Raises ServerFault when it does not answer.
        """
        api = self.model.api
        if not self._streams or (api is None and "continue_final_message" in ask.body):
            return True
        if api is not None and api.takes != "compatible":
            return False
        return await self._lists_as_engine(endpoint, listed)

    async def _lists_as_engine(self, endpoint: Endpoint, listed: Listed) -> bool:
        async with self._one_looks:
            if endpoint.url not in self._engines:
                self._engines[endpoint.url] = await self._is_engine(endpoint, listed)
        return self._engines[endpoint.url]

    async def _is_engine(self, endpoint: Endpoint, listed: Listed) -> bool:
        status, data = await listed()
        self._tries[endpoint.url] += 1
        if status in _BUSY and self._tries[endpoint.url] < _TRIES:
            raise ServerFault(f"{endpoint.url}: HTTP {status} for its list of models", alive=True)
        rows = data.get("data") if isinstance(data, Mapping) else None
        owners = {row.get("owned_by") for row in rows if isinstance(row, Mapping)} if isinstance(rows, list) else set()
        return bool(owners & ENGINES)

    async def _rest_of_context(self, body: Mapping[str, Any], post: Post) -> Mapping[str, int]:
        """The tokens that a prompt leaves: without a number vLLM's /v1/completions stops after 16."""
        asked = {name: body[name] for name in ("model", "prompt", "add_special_tokens") if name in body}
        try:
            said = await post("/tokenize", asked)
            return {"max_tokens": max(1, int(said["max_model_len"]) - int(said["count"]))}
        except (NotOffered, KeyError, TypeError, ValueError) as error:
            raise RecipeError(
                f"model {self.model.name!r}: sampling.max_tokens is null, and the server does not say how long its "
                f"context is ({error}): give sampling.max_tokens a number"
            ) from error
