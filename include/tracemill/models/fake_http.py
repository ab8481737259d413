"""Serves the fake model server on a real socket of this machine, with a queue, slots and a pace, as an engine has them.

    with on_socket(FakeServer(), slots=4, seconds=0.2) as served:
        ... requests to served.url; /health and /metrics answer too

For tests and benchmarks of what a transport in memory cannot show: connections, time, over-subscription, silence.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tracemill.models.fake import FakeServer, events
from tracemill.models.fake_batches import FakeBatches
from tracemill.models.wire import ServerFault

_PIECES = 8  # events of a streamed answer


class Served:
    """A fake server on a socket: its address, and what it did so far. `frozen` makes it healthy and idle for ever."""

    def __init__(self, fake: FakeServer, slots: int, seconds: float) -> None:
        self.fake = fake
        self.seconds = seconds
        self.batches = FakeBatches(fake)
        self.url = ""
        self.running = self.waiting = self.prompted = self.generated = self.dropped = 0
        self.writing = 0.0  # seconds of all requests that were answered, together
        self.frozen = False
        self._slots = asyncio.Semaphore(slots)

    def application(self) -> web.Application:
        """The routes of an OpenAI-compatible server."""
        made = web.Application(client_max_size=1 << 30)
        made.router.add_get("/health", self._health)
        made.router.add_get("/metrics", self._metrics)
        self.batches.add_to(made)
        made.router.add_post("/{path:.*}", self._answer)
        made.router.add_get("/{path:.*}", self._look)
        return made

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = (
            f"vllm:num_requests_running {self.running}\nvllm:num_requests_waiting {self.waiting}\n"
            f"vllm:prompt_tokens_total {self.prompted}\nvllm:generation_tokens_total {self.generated}\n"
            f"vllm:request_decode_time_seconds_sum {self.writing}\n"
        )
        return web.Response(text=text)

    async def _look(self, request: web.Request) -> web.Response:
        found = await self.fake.get(str(request.url), {})
        return web.json_response(found.data, status=found.status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        began = time.monotonic()
        try:
            answered = await self._generate(request, body)
            self.writing += time.monotonic() - began
            return answered
        except ServerFault:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        except ConnectionError:
            self.dropped += 1
            return web.Response(status=499)  # nobody is there to read it
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        finally:
            self.running -= 1
            self._slots.release()

    async def _generate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        asked = json.loads(body)
        streamed = asked.pop("stream", False)
        answer = await self.fake.post(str(request.url), json.dumps(asked).encode(), {}, lambda: None)
        while self.frozen:
            await asyncio.sleep(0.05)
        if not streamed or answer.status != 200 or not isinstance(answer.data, dict):
            await asyncio.sleep(self.seconds)
            self._count(answer.data)
            text = answer.data if isinstance(answer.data, str) else json.dumps(answer.data)
            return web.Response(status=answer.status, headers=dict(answer.headers), body=text.encode())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events(answer.data, size=1 + len(str(answer.data)) // _PIECES):
            await asyncio.sleep(self.seconds / _PIECES)
            await response.write(f"data: {event}\n\n".encode())
        self._count(answer.data)
        await response.write_eof()
        return response

    def _count(self, data: Any) -> None:
        usage = data.get("usage") or {} if isinstance(data, dict) else {}
        self.prompted += usage.get("prompt_tokens") or 0
        self.generated += usage.get("completion_tokens") or 0


@contextmanager
def on_socket(fake: FakeServer, *, slots: int = 256, seconds: float = 0.0) -> Iterator[Served]:
    """A fake server that answers on a free port of this machine while the block runs, in a thread of its own."""
    loop = asyncio.new_event_loop()
    served = Served(fake, slots, seconds)

    async def start() -> web.AppRunner:
        runner = web.AppRunner(served.application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield served
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
