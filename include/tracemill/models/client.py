"""Asks a model's servers: many requests at once, faults retried with back-off, one row's trouble kept to itself.

No request has a time-out over its whole answer: that would count the time in the server's queue and give up just the
long traces (see flight.py). A fault (5xx, refused or broken connection, no server yet, rubbish or half an answer) is
retried, on another server if there is one, for as long as anything was heard within `patience` seconds. What is retried
was not answered, so nothing is paid for twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any

from tracemill.errors import RecipeError, ServerGone, ServingError
from tracemill.models.api import address
from tracemill.models.continuation import BEGUN, as_tags
from tracemill.models.endpoints import Endpoint
from tracemill.models.fleet import Fleet
from tracemill.models.flight import Flight, Flights, NotOffered
from tracemill.models.outgoing import STREAMED, Outgoing
from tracemill.models.pacing import retry_after
from tracemill.models.payload import encoded
from tracemill.models.ranks import with_ranks
from tracemill.models.refusals import require_model_server
from tracemill.models.rendering import NotShown, rendered
from tracemill.models.request import Answer, Ask, Refusal, Reply
from tracemill.models.speed import Speed
from tracemill.models.token_logprobs import with_logprobs
from tracemill.models.transport import HttpTransport, Transport
from tracemill.models.trouble import Trouble
from tracemill.models.wire import Forbidden, ServerFault, read_reply

_FULL = 0.1  # seconds until a look whether a server takes more
_ASKED = {*STREAMED, "/classify"}
_LISTING = 15.0  # seconds for a list of models
_NOT_OFFERED = {404, 405, 501}


class Client:
    """An asynchronous client of one model, for `async with`; any number of `ask`s may run in its loop at once."""

    def __init__(self, fleet: Fleet, transport: Transport | None = None) -> None:
        self.fleet = fleet
        self._name = fleet.model.name
        self.answered = self.failed = self._foreign = 0
        self.closed: list[int] = []  # tokens of each request that was closed on its way
        self._speed = Speed()
        self.last: ServerFault | None = None
        self._patience = fleet.model.serve.patience
        self._transport: Transport | None = transport
        self._stack = contextlib.AsyncExitStack()
        self._flights = Flights(fleet, fleet.model.serve.silence)
        self._outgoing = Outgoing(fleet.model, streams=fleet.is_fixed)
        self._alone = asyncio.Lock()

    async def __aenter__(self) -> Client:
        if self._transport is None:
            outside = self.fleet.model.api is not None  # then a proxy of the environment may lie between
            self._transport = await self._stack.enter_async_context(HttpTransport(proxies=outside))
        await asyncio.to_thread(self.fleet.refresh)
        self._stack.enter_context(self._flights.watched())
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
        model, wrong key, no balance), LimitSpent when as much money is spent as may be.
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
        """The answer, paid for and counted. Raises ServerFault for half of one."""
        self._flights.heard = time.monotonic()
        if isinstance(answer, Reply):
            if self.fleet.purse:
                is_told = None not in (answer.prompt_tokens, answer.completion_tokens)
                size = (0, 0) if is_told else (ask.size, len(answer.text.encode()))
                self.fleet.purse.pay(answer.prompt_tokens, answer.completion_tokens, time.monotonic(), size)
            answer = replace(answer, server=endpoint.server or None, engine=endpoint.engine or None)
            answer = self.fleet.endings.seen(endpoint.url, answer)
            self.answered += 1
            self._speed.note(answer)
        self.last = None
        self.fleet.pace(endpoint).answered()
        return answer

    async def _endpoint(self, ask: Ask, trouble: Trouble) -> Endpoint:
        """A server that takes this request now; waits for one. Raises as `ask`."""
        while not self._may(ask) or (endpoint := self.fleet.choose(ask.beginning)) is None:
            if not self.fleet.endpoints:
                trouble.last = ServerFault("no server has published a lease")
            self._give_up(trouble.last)
            await asyncio.sleep(_FULL)
        self._give_up(trouble.last)
        return endpoint

    def _may(self, ask: Ask) -> bool:
        """Whether there is money for it just now. Raises LimitSpent when there is none for anything more."""
        self.fleet.require_money()
        return self.fleet.affords(ask)

    def _give_up(self, last: ServerFault | None) -> None:
        if self._flights.failure:
            raise self._flights.failure
        if last is None:
            return
        if self.fleet.is_gone:
            raise ServerGone(f"model {self._name!r}: its server left (last: {last})") from last
        if time.monotonic() - self._flights.heard > self._patience:
            raise ServingError(
                f"model {self._name!r}: no server answered for {self._patience:.0f} s (last: {last}). "
                "Look at the serve task's log, or at the endpoint named for this model, then clear this task"
            ) from last

    def _note(self, endpoint: Endpoint, fault: ServerFault, trouble: Trouble) -> None:
        if fault.throttled:
            self.fleet.pace(endpoint).throttled(fault.wait, self.fleet.busy[endpoint.url] + 1, time.monotonic())
            self._flights.heard = time.monotonic()
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
        """The prompt that the model gets for this chat request; None for any other, and while no server is there.

        Raises NotShown where nobody tells.
        """
        endpoint = self.fleet.choose(ask.beginning)
        if endpoint is None or ask.route != "/v1/chat/completions":
            return None
        try:
            async with self._flights.flying(endpoint) as flight:
                if await self._outgoing.shows_prompts(ask, endpoint, partial(self._listed, flight)):
                    return await rendered(partial(self._post_ok, flight), endpoint.model, ask)
        except (ServerFault, NotOffered, KeyError, TypeError) as error:
            raise NotShown(str(error)) from error
        raise NotShown(f"what answers at {endpoint.url} is not known to show it")

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
        async with self._flights.flying(endpoint) as flight:
            try:
                answer = await self._send(flight, ask)
            except ServerFault as fault:
                if self.fleet.purse and flight.pieces:  # what had come of a broken stream is paid for
                    self.fleet.purse.pay(None, flight.pieces, time.monotonic(), (ask.size, 0))
                if not (flight.is_shaped and fault.alive):
                    raise
            except asyncio.CancelledError:
                self._close(flight, ask)
                raise
            else:
                if not (flight.is_shaped and isinstance(answer, Refusal) and answer.reason == "refused"):
                    return answer
            self._outgoing.give_up_shapes(endpoint)
            return await self._send(flight, ask.plain)

    def _close(self, flight: Flight, ask: Ask) -> None:
        """Count what a request cost that is closed on its way: the server throws away what it generated."""
        tokens = flight.pieces or self._speed.tokens(time.monotonic() - flight.began, ask)
        self.closed.append(tokens)
        if self.fleet.purse:
            self.fleet.purse.pay(None, tokens, time.monotonic(), (ask.size, 0))

    async def _takes_the_key(self, endpoint: Endpoint, ask: Ask) -> bool:
        """Whether this key is answered at all, so that HTTP 403 was about one prompt; else a tiny request tells."""
        if self.answered:
            return True
        try:
            async with self._flights.flying(endpoint) as flight:
                await self._send(flight, ask.canary())
        except (Forbidden, ServerFault):
            return False
        return True

    async def _send(self, flight: Flight, ask: Ask) -> Answer:
        endpoint = flight.endpoint
        post = partial(self._post_ok, flight)
        listed = partial(self._listed, flight)
        body = await self._outgoing.body(ask, endpoint, post, listed)
        flight.is_shaped = ask.shape is not None and "response_format" in body
        began = time.monotonic()
        status, data, wait = await self._post(flight, ask.route, body)
        budget = ask.body.get("max_tokens")
        answer = read_reply(ask.route, status, data, round(time.monotonic() - began, 4), wait, budget)
        if not isinstance(answer, Reply):
            return answer
        if ask.ranked is not None:
            return with_ranks(answer, data, ask.ranked)
        if ask.logprobs:
            answer = with_logprobs(answer, data, ask.logprobs)
        if ask.goes_on:
            return replace(answer, text=as_tags(answer.text, str(ask.body.get(BEGUN, ""))), token_ids=None)
        return answer

    @property
    def _open(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("a client asks only inside its `async with`")
        return self._transport

    async def _post(self, flight: Flight, route: str, body: Mapping[str, Any]) -> tuple[int, Any, float | None]:
        endpoint = flight.endpoint
        heard = partial(self._flights.hear, flight)
        headers = {"Content-Type": "application/json", **endpoint.headers}
        response = await self._open.post(address(endpoint.url, route), encoded(body), headers, heard)
        if response.status == 404 and route in _ASKED:
            self._unknown_model(endpoint, str(response.data)[:300])
        return response.status, response.data, retry_after(response.headers)

    async def _listed(self, flight: Flight) -> tuple[int, Any]:
        """Status and data of the server's list of models; 504 when it does not come in time."""
        endpoint = flight.endpoint
        try:
            async with asyncio.timeout(_LISTING):
                response = await self._open.get(address(endpoint.url, "/v1/models"), endpoint.headers)
        except TimeoutError:
            return 504, None
        return response.status, response.data

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
