"""Asks a model's servers: many requests at once, faults retried with back-off, one row's trouble kept to itself.

A fault (5xx, 429, refused or broken connection, no server yet, rubbish for an answer) is retried, on another server if
there is one, for as long as any request of this client was answered within `patience` seconds. An HTTP 400 is the row's
own fault and comes back as a Refusal. What is retried was not answered, so nothing is paid for twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any

import httpx
import tenacity

from tracemill.errors import RecipeError, ServerGone, ServingError
from tracemill.serving.asks import Answer, Ask, Refusal
from tracemill.serving.continuation import BEGUN, with_begun_answer
from tracemill.serving.endpoints import Endpoint, Fleet
from tracemill.serving.wire import ServerFault, read_reply

ATTEMPTS_IN_TIME = 3  # how often a request may run out of its own time before its row is given up
_log = logging.getLogger(__name__)


class _OutOfTime(Exception):
    """The request took longer than it may."""


class Client:
    """An asynchronous client of one model, for `async with`; any number of `ask`s may run in its loop at once."""

    def __init__(self, fleet: Fleet, transport: httpx.AsyncBaseTransport | None = None) -> None:
        serve = fleet.model.serve
        self.fleet, self.patience = fleet, serve.patience
        self._heard = time.monotonic()
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(serve.timeout, connect=min(30.0, serve.timeout), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=serve.concurrency),
            trust_env=False,
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, ask: Ask) -> Answer:
        """The answer to one request. Raises ServingError when no server answered anybody for `patience` seconds,
        ServerGone when there is none for longer than Resources.away, RecipeError when no request can succeed (unknown
        model, wrong key).
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(ServerFault),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            stop=self._out_of_patience,
            reraise=True,
        )
        try:
            for _ in range(ATTEMPTS_IN_TIME):
                try:
                    return await retrying(self._once, ask)
                except _OutOfTime:
                    _log.warning("%s: a request ran out of its %.0f s", self._name, self.fleet.model.serve.timeout)
        except ServerFault as fault:
            if self.fleet.is_gone:
                raise ServerGone(f"model {self._name!r}: its server left (last: {fault})") from fault
            raise ServingError(
                f"model {self._name!r}: no server answered for {self.patience:.0f} s (last: {fault}). "
                "Look at the serve task's log, or at the endpoint named for this model, then clear this task"
            ) from fault
        return Refusal("timeout", f"no answer within {self.fleet.model.serve.timeout:.0f} s, {ATTEMPTS_IN_TIME} times")

    @property
    def _name(self) -> str:
        return self.fleet.model.name

    def _out_of_patience(self, _state: tenacity.RetryCallState) -> bool:
        return self.fleet.is_gone or time.monotonic() - self._heard > self.patience

    async def _once(self, ask: Ask) -> Answer:
        endpoint = self.fleet.choose()
        if endpoint is None:
            raise ServerFault("no server has published a lease")
        self.fleet.busy[endpoint.url] += 1
        try:
            answer = await self._send(endpoint, ask)
        except ServerFault:
            self.fleet.failed(endpoint)
            raise
        finally:
            self.fleet.busy[endpoint.url] -= 1
        self._heard = time.monotonic()
        return answer

    async def _send(self, endpoint: Endpoint, ask: Ask) -> Answer:
        body: Mapping[str, Any] = {"model": endpoint.model, **ask.body}
        began = time.monotonic()
        if BEGUN in body:
            body = await with_begun_answer(partial(self._post_ok, endpoint), body)
        status, data = await self._post(endpoint, ask.route, body)
        return read_reply(ask.route, status, data, round(time.monotonic() - began, 4))

    async def _post(self, endpoint: Endpoint, route: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        try:
            response = await self._http.post(endpoint.url.rstrip("/") + route, json=body, headers=endpoint.headers)
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise _OutOfTime from error
        except httpx.TransportError as error:
            raise ServerFault(f"{endpoint.url}: {type(error).__name__} {error}") from error
        data = _json(response)
        if response.status_code == 404:
            self._unknown_model(endpoint, str(data)[:300])
        return response.status_code, data

    async def _post_ok(self, endpoint: Endpoint, route: str, body: Mapping[str, Any]) -> Any:
        status, data = await self._post(endpoint, route, body)
        if status != 200:
            raise ServerFault(f"{endpoint.url}{route}: HTTP {status}: {str(data)[:300]}")
        return data

    def _unknown_model(self, endpoint: Endpoint, said: str) -> None:
        """A named endpoint without the model never gets it; a leased address may just have been taken over."""
        fault = f"{endpoint.url} does not serve model {endpoint.model!r} or this kind of request: {said}"
        if self.fleet.is_fixed:
            raise RecipeError(f"model {self._name!r}: {fault}. Correct the endpoint named for it")
        raise ServerFault(fault)


def _json(response: httpx.Response) -> Any:
    """The response as data, or its text when it is not JSON (a proxy's error page)."""
    try:
        return response.json()
    except ValueError:
        return response.text
