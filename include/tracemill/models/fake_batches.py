"""A provider's batch API without a provider: files, batches and their life, answered by the fake model server.

Part of what `fake_http.on_socket` serves, for tests of what a provider does at its own pace: a batch that works for
a while, lines that fail or run out of time, a batch that was made though its client never heard of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tracemill.models.fake import FakeServer


@dataclass
class FakeBatches:
    """`looks`: how often a batch is seen at work before it is over. `ending`: how batches end, one after the other, and
    the last word for all others: "completed", "failed", "expired" (only every other line is answered), "cancelled".
    `faults`: by word of a request's prompt, the HTTP status of its line. `lost`: so many batches are made without the
    client hearing of it. `holds`: what its clients wait for as long as it is set, the word of a batch that was made or
    the answers of one that is done; `held` of them waited. `batches` and `files` are what was sent.
    """

    fake: FakeServer
    looks: int = 1
    ending: tuple[str, ...] = ("completed",)
    faults: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    holds: Literal["made", "answers"] | None = None
    held: int = 0
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def add_to(self, app: web.Application) -> None:
        """Serve the batch API's routes."""
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._look)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Every line of every batch that was made."""
        sent = [self.files[batch["input_file_id"]] for batch in self.batches.values()]
        return [json.loads(line) for content in sent for line in content.splitlines()]

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        content = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": self._kept(content), "purpose": form["purpose"]})

    async def _content(self, request: web.Request) -> web.Response:
        await self._hold("answers")
        return web.Response(body=self.files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        batch = {"id": f"batch_{len(self.batches)}", "status": "validating", "looks": 0, **await request.json()}
        self.batches[batch["id"]] = batch
        if self.lost:
            self.lost -= 1
            if request.transport:
                request.transport.abort()
        await self._hold("made")
        return web.json_response(batch)

    async def _hold(self, what: Literal["made", "answers"]) -> None:
        self.held += self.holds == what
        while self.holds == what:
            await asyncio.sleep(0.05)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"data": list(self.batches.values())[::-1], "has_more": False})

    async def _look(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return web.json_response({"error": {"message": "No such batch"}}, status=404)
        batch["looks"] += 1
        if batch["looks"] > self.looks and batch["status"] == "validating":
            await self._end(batch)
        return web.json_response(batch)

    async def _end(self, batch: dict[str, Any]) -> None:
        place = list(self.batches).index(batch["id"])
        batch |= {"status": self.ending[min(place, len(self.ending) - 1)], "completed_at": time.time()}
        if batch["status"] == "failed":
            batch["errors"] = {"data": [{"code": "invalid_json_line", "message": "Line 1 is no request."}]}
            return
        answers: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for number, line in enumerate(self.files[batch["input_file_id"]].splitlines()):
            asked = json.loads(line)
            if batch["status"] in ("expired", "cancelled") and number % 2:
                errors.append(_line(asked, None, {"code": "batch_expired", "message": "It ran out of time."}))
                continue
            status, body = await self._answer(asked)
            (answers if status == 200 else errors).append(_line(asked, {"status_code": status, "body": body}, None))
        for name, lines in (("output_file_id", answers), ("error_file_id", errors)):
            if lines:  # in no order, as providers say themselves
                batch[name] = self._kept(b"".join(json.dumps(one).encode() + b"\n" for one in reversed(lines)))

    async def _answer(self, asked: dict[str, Any]) -> tuple[int, Any]:
        body = json.dumps(asked["body"])
        for word, status in self.faults.items():
            if word in body:
                return status, {"error": {"message": f"fault {status} on command"}}
        answer = await self.fake.post("http://fake" + asked["url"], body.encode(), {}, lambda: None)
        return answer.status, answer.data

    def _kept(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name


def _line(asked: dict[str, Any], response: Any, error: Any) -> dict[str, Any]:
    return {"id": "line", "custom_id": asked["custom_id"], "response": response, "error": error}
