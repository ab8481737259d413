"""Asks a model's servers: many requests at once, faults retried with back-off, one row's trouble kept to itself.

No request has a time-out over its whole answer: that would count the time in the server's queue and give up just the
long traces. A request lives while its server lives: one of the run while its lease does (the serve task ends an engine
that makes no token), one named beforehand while anything comes from it within `silence` seconds. A fault (5xx, refused
or broken connection, no server yet, rubbish for an answer) is retried, on another server if there is one, for as long
as anything was heard within `patience` seconds. What is retried was not answered, so nothing is paid for twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any

from tracemill.errors import RecipeError, ServerGone, ServingError
from tracemill.serving.api import Api, address
from tracemill.serving.asks import Answer, Ask, Refusal, Reply
from tracemill.serving.continuation import BEGUN, as_tags, going_on
from tracemill.serving.endpoints import Endpoint
from tracemill.serving.fleet import LOOK_EVERY, Fleet
from tracemill.serving.flight import Flight, NotOffered, ended
from tracemill.serving.pacing import retry_after
from tracemill.serving.payload import encoded
from tracemill.serving.refusals import require_model_server
from tracemill.serving.rendering import rendered
from tracemill.serving.transport import HttpTransport, Transport
from tracemill.serving.trouble import Trouble
from tracemill.serving.wire import Forbidden, ServerFault, read_reply

_FULL = 0.1  # seconds until a look whether a server takes more
_STREAMED = {"/v1/chat/completions", "/v1/completions"}
_ASKED = {*_STREAMED, "/classify"}
_NOT_OFFERED = {404, 405, 501}
_log = logging.getLogger(__name__)


class Client:
    """An asynchronous client of one model, for `async with`; any number of `ask`s may run in its loop at once."""

    def __init__(self, fleet: Fleet, transport: Transport | None = None) -> None:
        self.fleet, self._name = fleet, fleet.model.name
        self.answered = self.failed = self._foreign = 0
        self.last: ServerFault | None = None
        self.left_out: set[str] = set()
        self._patience, self._silence = fleet.model.serve.patience, fleet.model.serve.silence
        self._heard = time.monotonic()
        self._transport: Transport | None = transport
        self._stack = contextlib.AsyncExitStack()
        self._flights: set[Flight] = set()
        self._alone = asyncio.Lock()
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Client:
        if self._transport is None:
            outside = self.fleet.model.api is not None  # then a proxy of the environment may lie between
            self._transport = await self._stack.enter_async_context(HttpTransport(proxies=outside))
        await asyncio.to_thread(self.fleet.refresh)
        watch = asyncio.create_task(self._watch())
        watch.add_done_callback(self._watch_ended)
        self._stack.callback(watch.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        if self.fleet.purse:
            await asyncio.to_thread(self.fleet.purse.settle)

    async def ask(self, ask: Ask) -> Answer:
        """The answer to one request. Raises ServingError when nothing was heard from any server for `patience` seconds,
        ServerGone when there is none for longer than Resources.away, RecipeError when no request can succeed (unknown
        model, wrong key, no balance).
        """
        trouble = Trouble(self.answered, self.failed)
        while True:
            async with self._alone if trouble.is_suspect else contextlib.nullcontext():
                endpoint = await self._endpoint(ask, trouble)
                try:
                    return self._answered(endpoint, ask, await self._once(endpoint, ask))
                except ServerFault as fault:
                    self._note(endpoint, fault, trouble)
                    if await self._is_poison(endpoint, ask, trouble):
                        return Refusal("poison", f"{trouble.tries} times, while others were answered: {fault}"[:500])
            await asyncio.sleep(trouble.pause())

    def _answered(self, endpoint: Endpoint, ask: Ask, answer: Answer) -> Answer:
        self.last = None
        if isinstance(answer, Reply):
            self.answered += 1
            if self.fleet.purse:
                letters = len(ask.beginning), len(answer.text)
                self.fleet.purse.pay(answer.prompt_tokens, answer.completion_tokens, time.monotonic(), letters)
        self.fleet.pace(endpoint).answered()
        self._heard = time.monotonic()
        return answer

    async def _endpoint(self, ask: Ask, trouble: Trouble) -> Endpoint:
        """A server that takes this request now; waits for one. Raises as `ask`."""
        while not self.fleet.affords(ask) or (endpoint := self.fleet.choose(ask.beginning)) is None:
            if not self.fleet.endpoints:
                trouble.last = ServerFault("no server has published a lease")
            self._give_up(trouble.last)
            await asyncio.sleep(_FULL)
        self._give_up(trouble.last)
        return endpoint

    def _give_up(self, last: ServerFault | None) -> None:
        if self._failure:
            raise self._failure
        if last is None:
            return
        if self.fleet.is_gone:
            raise ServerGone(f"model {self._name!r}: its server left (last: {last})") from last
        if time.monotonic() - self._heard > self._patience:
            raise ServingError(
                f"model {self._name!r}: no server answered for {self._patience:.0f} s (last: {last}). "
                "Look at the serve task's log, or at the endpoint named for this model, then clear this task"
            ) from last

    def _note(self, endpoint: Endpoint, fault: ServerFault, trouble: Trouble) -> None:
        if fault.throttled:
            self.fleet.pace(endpoint).throttled(fault.wait, self.fleet.busy[endpoint.url] + 1, time.monotonic())
            self._heard = time.monotonic()
        elif fault.alive:
            self.failed += 1
        else:
            self.fleet.failed(endpoint)
        self.last = fault
        trouble.note(fault, endpoint.life)
        self._foreign += fault.foreign
        if self.fleet.is_fixed and not self.answered:
            require_model_server(self._name, endpoint.url, fault, self._foreign, trouble.tries)

    async def rendered(self, ask: Ask) -> str | None:
        """The prompt that the model gets for this chat request; None where no server is there or none tells."""
        endpoint = self.fleet.choose(ask.beginning)
        if endpoint is None or ask.route != "/v1/chat/completions" or self.fleet.model.api:
            return None
        try:
            async with self._flying(endpoint) as flight:
                return await rendered(partial(self._post_ok, flight), endpoint.model, ask)
        except (ServerFault, NotOffered, KeyError, TypeError) as error:
            _log.info("%s: the server does not show its prompt: %s", self._name, error)
            return None

    async def _is_poison(self, endpoint: Endpoint, ask: Ask, trouble: Trouble) -> bool:
        """Whether the server fails on this request and answers others; if nobody else asks, a tiny request tells."""
        if not trouble.is_poison(self.answered, self.failed):
            return False
        if self.answered > trouble.answered_before:
            return True
        try:
            return isinstance(await self._once(endpoint, ask.canary()), Reply)
        except ServerFault:
            return False

    async def _once(self, endpoint: Endpoint, ask: Ask) -> Answer:
        try:
            with self.fleet.holding(ask):
                return await self._sent(endpoint, ask)
        except Forbidden as error:
            if await self._takes_the_key(endpoint, ask):
                return Refusal("refused", str(error)[:500])
            raise

    async def _sent(self, endpoint: Endpoint, ask: Ask) -> Answer:
        async with self._flying(endpoint) as flight:
            try:
                return await self._send(flight, ask)
            except ServerFault:
                if self.fleet.purse and flight.pieces:  # what had come of a broken stream is paid for
                    self.fleet.purse.pay(None, flight.pieces, time.monotonic(), (len(ask.beginning), 0))
                raise

    async def _takes_the_key(self, endpoint: Endpoint, ask: Ask) -> bool:
        """Whether this key is answered at all, so that HTTP 403 was about one prompt; else a tiny request tells."""
        if self.answered:
            return True
        try:
            async with self._flying(endpoint) as flight:
                await self._send(flight, ask.canary())
        except (Forbidden, ServerFault):
            return False
        return True

    @contextlib.asynccontextmanager
    async def _flying(self, endpoint: Endpoint) -> AsyncIterator[Flight]:
        """A request on its way, which ends when its server does. Raises ServerFault then."""
        self.fleet.busy[endpoint.url] += 1
        flight = Flight(endpoint, asyncio.timeout(None))
        self._flights.add(flight)
        try:
            async with flight.limit:
                yield flight
        except TimeoutError as error:
            raise ServerFault(f"{endpoint.url} was not heard of any more") from error
        finally:
            self._flights.discard(flight)
            self.fleet.busy[endpoint.url] -= 1

    async def _send(self, flight: Flight, ask: Ask) -> Answer:
        endpoint = flight.endpoint
        body: Mapping[str, Any] = {"model": endpoint.model, **ask.body}
        began = time.monotonic()
        if ask.tokens is not None:
            body = going_on(ask.tokens, body)
        if ask.keeps_tokens:
            body = {**body, "return_token_ids": True}
        if ask.route == "/v1/completions" and body.get("max_tokens") is None:
            body = {**body, **await self._rest_of_context(flight, body)}
        if self.fleet.is_fixed and ask.route in _STREAMED and "prompt_logprobs" not in body:
            body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        if self.fleet.model.api:
            body = self._adapted(self.fleet.model.api, body)
        status, data, wait = await self._post(flight, ask.route, body)
        budget = ask.body.get("max_tokens")
        answer = read_reply(ask.route, status, data, round(time.monotonic() - began, 4), wait, budget)
        if ask.goes_on and isinstance(answer, Reply):
            return replace(answer, text=as_tags(answer.text, str(ask.body.get(BEGUN, ""))), token_ids=None)
        return answer

    async def _post(self, flight: Flight, route: str, body: Mapping[str, Any]) -> tuple[int, Any, float | None]:
        def heard() -> None:
            flight.heard = self._heard = time.monotonic()
            flight.pieces += 1

        if self._transport is None:
            raise RuntimeError("a client asks only inside its `async with`")
        endpoint = flight.endpoint
        headers = {"Content-Type": "application/json", **endpoint.headers}
        response = await self._transport.post(address(endpoint.url, route), encoded(body), headers, heard)
        if response.status == 404 and route in _ASKED:
            self._unknown_model(endpoint, str(response.data)[:300])
        return response.status, response.data, retry_after(response.headers)

    def _adapted(self, api: Api, body: Mapping[str, Any]) -> Mapping[str, Any]:
        found, left_out = api.adapted(body)
        if left_out - self.left_out:
            _log.warning("%s: %s takes no %s: not sent", self._name, api.provider, ", ".join(sorted(left_out)))
            self.left_out |= left_out
        return found

    async def _rest_of_context(self, flight: Flight, body: Mapping[str, Any]) -> Mapping[str, int]:
        """The tokens that a prompt leaves: without a number vLLM's /v1/completions stops after 16."""
        asked = {name: body[name] for name in ("model", "prompt", "add_special_tokens") if name in body}
        try:
            said = await self._post_ok(flight, "/tokenize", asked)
            return {"max_tokens": max(1, int(said["max_model_len"]) - int(said["count"]))}
        except (NotOffered, KeyError, TypeError, ValueError) as error:
            raise RecipeError(
                f"model {self._name!r}: sampling.max_tokens is null, and the server does not say how long its context "
                f"is ({error}): give sampling.max_tokens a number"
            ) from error

    async def _post_ok(self, flight: Flight, route: str, body: Mapping[str, Any]) -> Any:
        status, data, _ = await self._post(flight, route, body)
        if status in _NOT_OFFERED:
            raise NotOffered(f"{route} answers HTTP {status}")
        if status != 200:
            raise ServerFault(f"{flight.endpoint.url}{route}: HTTP {status}: {str(data)[:300]}", alive=True)
        return data

    def _unknown_model(self, endpoint: Endpoint, said: str) -> None:
        """A named endpoint without the model never gets it; a leased address may just have been taken over."""
        fault = f"{endpoint.url} does not serve model {endpoint.model!r} or this kind of request: {said}"
        if self.fleet.is_fixed:
            raise RecipeError(f"model {self._name!r}: {fault}. Correct the endpoint named for it")
        raise ServerFault(fault)

    async def _watch(self) -> None:
        """Look which servers live, and end the requests to those that do not; they are asked elsewhere."""
        while True:
            await asyncio.sleep(min(LOOK_EVERY, self._silence / 4))
            await asyncio.to_thread(self.fleet.refresh)
            ended([flight for flight in self._flights if not self._lives(flight)])

    def _lives(self, flight: Flight) -> bool:
        if not self.fleet.is_fixed:
            alive = any(one.url == flight.endpoint.url for one in self.fleet.endpoints)
            self._heard = time.monotonic() if alive else self._heard
            return alive
        last = flight.heard or max(flight.began, self._heard)
        return time.monotonic() - last < self._silence

    def _watch_ended(self, watch: asyncio.Task[None]) -> None:
        """Without a watch a request would live for ever: whatever ended it ends them all."""
        if not watch.cancelled() and watch.exception() is not None:
            self._failure = watch.exception()
            ended(list(self._flights))
