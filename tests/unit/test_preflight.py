"""Before a run its models are looked at: one sentence for what is wrong, nothing for what nobody asks any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, ServingError, TracemillError
from tracemill.local.preflight import require_ready
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.recipe import Recipe, load_recipe

pytestmark = pytest.mark.server

RECIPE = """
name: mine
description: d
sources: [{{kind: jsonl, name: mine, path: rows.jsonl, columns: {{prompt: q}}}}]
steps:
  distill:
    kind: distill
    teacher: {{kind: chat, model: {{name: m, api: {{url: "{url}", model: there, key: "${{K}}"}}}}}}
  select: {{kind: select, unverified: keep}}
  release: {{kind: release}}
"""
KEYED = {"K": "sk-planted-0011"}


def recipe(folder: Path, url: str) -> Recipe:
    (folder / "rows.jsonl").write_text('{"q": "What?"}\n')
    (folder / "mine.yaml").write_text(RECIPE.format(url=url))
    return load_recipe(str(folder / "mine.yaml"))


class Listing(Served):
    """Answers the question for its models with a status, or with their names."""

    status, names = 200, ("there",)

    def application(self) -> web.Application:
        made = super().application()
        made.router.add_get("/v1/models", self._models)
        return made

    async def _models(self, _request: web.Request) -> web.Response:
        body = {"data": [{"id": name} for name in self.names]} if self.status == 200 else {"error": "no"}
        return web.Response(status=self.status, text=json.dumps(body), content_type="application/json")


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> type[Listing]:
    monkeypatch.setattr("tracemill.models.fake_http.Served", Listing)
    monkeypatch.setattr(Listing, "status", 200)
    return Listing


STATUSES: dict[int, tuple[type[TracemillError] | None, str]] = {
    200: (None, ""),
    404: (None, ""),
    500: (None, ""),
    401: (RecipeError, "the key is not accepted"),
    402: (RecipeError, "the balance is used up"),
    403: (RecipeError, "the key may not be used here"),
}


@pytest.mark.parametrize(("status", "expected"), STATUSES.items(), ids=STATUSES)
def test_what_the_address_says_decides(
    tmp_path: Path,
    listing: type[Listing],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    expected: tuple[type[TracemillError] | None, str],
) -> None:
    monkeypatch.setattr(listing, "status", status)
    error, said = expected
    with on_socket(FakeServer()) as served:
        machine = Resources(workers=1, environment=KEYED)
        if error is None:
            require_ready(recipe(tmp_path, served.url), None, machine)
        else:
            with pytest.raises(error, match=said) as caught:
                require_ready(recipe(tmp_path, served.url), None, machine)
            assert KEYED["K"] not in str(caught.value)


def test_a_model_that_is_not_listed_is_told_and_not_refused(
    tmp_path: Path, listing: type[Listing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "names", ("here", "theres"))
    told: list[str] = []
    with on_socket(FakeServer()) as served:
        machine = Resources(workers=1, environment=KEYED, tell=told.append)
        require_ready(recipe(tmp_path, served.url), None, machine)
    assert "lists no model 'there'; did you mean 'theres'?" in told[0]


def test_an_address_where_nobody_is_and_a_key_that_nobody_set(tmp_path: Path) -> None:
    gone = recipe(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(ServingError, match="does not answer"):
        require_ready(gone, None, Resources(workers=1, environment=KEYED))
    with pytest.raises(RecipeError, match="the environment variable K is not set"):
        require_ready(gone, None, Resources(workers=1, environment={}))


def test_what_is_sealed_needs_neither_model_nor_key(tmp_path: Path) -> None:
    server: Any = FakeServer()
    made = recipe(tmp_path, "http://127.0.0.1:9")
    machine = Resources(workers=1, environment=KEYED, transport=server)
    done = Run(made, str(tmp_path / "store"), machine, Console(quiet=True))
    done.go()
    require_ready(made, done.store, Resources(workers=1, environment={}))
    (tmp_path / "rows.jsonl").write_text('{"q": "What?"}\n{"q": "And that?"}\n')
    Run(made, str(tmp_path / "store"), machine, Console(quiet=True), steps=["plan", "ingest"]).go()
    with pytest.raises(RecipeError, match="K is not set"):
        require_ready(made, done.store, Resources(workers=1, environment={}))


def test_a_benchmark_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path) -> None:
    made = recipe(tmp_path, "http://127.0.0.1:9").model_dump(mode="json", exclude={"trial"})
    clean = {"kind": "decontaminate", "embedder": {"kind": "hashing"}}
    clean |= {"benchmarks": [{"name": "late", "path": "late.jsonl", "field": "q"}]}
    steps = {"sign": {"kind": "sign", "embedder": {"kind": "hashing"}}, "clean": clean}
    (tmp_path / "mine.yaml").write_text(json.dumps({**made, "steps": steps}))
    loaded = load_recipe(str(tmp_path / "mine.yaml"))
    with pytest.raises(TracemillError, match=r"late\.jsonl is not a file"):
        require_ready(loaded, None, Resources(workers=1, environment={}))
