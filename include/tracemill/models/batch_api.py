"""The calls of an OpenAI-compatible batch API: upload a file of requests, create a batch of it, look, download.

POST /v1/files, POST /v1/batches, GET /v1/batches, GET /v1/batches/ID, GET /v1/files/ID/content, as OpenAI documents
them and LiteLLM and others repeat them. A batch is done within a day, for half the price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import httpx
import orjson

from tracemill.errors import RecipeError, ServingError
from tracemill.models.api import address
from tracemill.models.endpoints import Endpoint
from tracemill.models.wire import ServerFault, read_reply

MARK = "tracemill"  # the metadata under which a batch says which requests it is of
_LOOK_BACK = 10  # pages of a hundred batches in which one that was never noted down is looked for
_TIMEOUT = httpx.Timeout(60, read=600)
_OVER = {"completed": "done", "failed": "failed", "expired": "done", "cancelled": "cancelled"}


@dataclass(frozen=True)
class Batch:
    """How a batch stands: `ending` None while it works. `files`: its output and its errors, where there are any."""

    id: str
    ending: Literal["done", "failed", "cancelled"] | None
    files: tuple[str, ...]
    mark: str | None
    said: str


class BatchApi:
    """One provider's batch API, for `with`. Raises RecipeError for what no try mends (key, balance, no such route),
    ServingError for all else that goes wrong.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._http = httpx.Client(headers=endpoint.headers, timeout=_TIMEOUT)

    def __enter__(self) -> BatchApi:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def submit(self, lines: bytes, route: str, mark: str, window: str) -> str:
        """Upload the requests and make a batch of them; its id."""
        sent = {"file": (f"{mark}.jsonl", lines, "application/jsonl")}
        file = self._json("POST", "/v1/files", files=sent, data={"purpose": "batch"})
        body = {"input_file_id": file["id"], "endpoint": route, "completion_window": window, "metadata": {MARK: mark}}
        return str(self._json("POST", "/v1/batches", json=body)["id"])

    def look(self, batch: str) -> Batch:
        """How that batch stands now."""
        return _batch(self._json("GET", f"/v1/batches/{batch}"))

    def find(self, mark: str) -> str | None:
        """The newest batch with that mark, if the provider has one: of a client that died before it could note it."""
        after: dict[str, str] = {}
        for _ in range(_LOOK_BACK):
            page = self._json("GET", "/v1/batches", params={"limit": "100", **after})
            found = [_batch(one) for one in page.get("data") or []]
            for one in found:
                if one.mark == mark:
                    return one.id
            if not found or not page.get("has_more"):
                return None
            after = {"after": found[-1].id}
        return None

    def lines(self, file: str) -> Iterator[Mapping[str, Any]]:
        """The lines of an output or error file. Raises ServingError for one that was cut off."""
        content = self._call("GET", f"/v1/files/{file}/content").content
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                try:
                    read = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise ServingError(f"line {number} of file {file} of the batch is no JSON: {error}") from error
                if isinstance(read, dict):
                    yield read

    def _json(self, method: str, route: str, **sent: Any) -> Any:
        response = self._call(method, route, **sent)
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise ServingError(f"{response.url} answers {response.text[:200]!r} instead of JSON") from error

    def _call(self, method: str, route: str, **sent: Any) -> httpx.Response:
        url = address(self.endpoint.url, route)
        try:
            response = self._http.request(method, url, **sent)
        except httpx.HTTPError as error:
            raise ServingError(f"{url}: {type(error).__name__} {error}") from error
        if response.status_code == 404 and method == "POST":
            raise RecipeError(f"{url} does not exist: this provider has no batch API; leave `api.batch` out")
        if response.status_code >= 300:
            raise ServingError(f"{url}: {_refused(response)}")
        return response


def _refused(response: httpx.Response) -> str:
    """What the provider says. Raises RecipeError where the words are that nobody can succeed there."""
    try:
        answer = read_reply("/v1/chat/completions", response.status_code, response.text, 0.0)
    except ServerFault as fault:
        return str(fault)
    raise RecipeError(f"{response.url}: HTTP {response.status_code}: {answer}")


def _batch(data: Mapping[str, Any]) -> Batch:
    status = str(data.get("status"))
    errors = ((data.get("errors") or {}).get("data")) or []
    said = "; ".join(str(error.get("message")) for error in errors[:3])
    files = tuple(str(data[name]) for name in ("output_file_id", "error_file_id") if data.get(name))
    mark = (data.get("metadata") or {}).get(MARK)
    return Batch(str(data["id"]), _OVER.get(status), files, mark, said or status)  # type: ignore[arg-type]
