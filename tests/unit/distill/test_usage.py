"""Which server of a run each request of a trace took, and how many of its tokens: what the trace cost is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.priced import lease
from tests.build.shard import MODEL, problem, resources, shard
from tracemill.distill import traces
from tracemill.distill.step import Distill
from tracemill.distill.traces import Trace
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer
from tracemill.models.request import Reply
from tracemill.models.transport import Response


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(**teacher: Any) -> Distill:
    told = {"kind": "chat", "model": MODEL, "sampling": {"max_tokens": 4}, "directives": {}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": told})


def test_a_trace_that_one_server_began_and_another_continued_took_both(store: Store) -> None:
    """Trap: the continuation reads the whole beginning again, on whichever server there is by then."""

    class Moving(FakeServer):
        async def post(self, url: str, *rest: Any) -> Response:
            if "//one" in url and self.generated:
                lease(store, "two")
                return await FakeServer(faults={1: "reset"}).post(url, *rest)
            return await super().post(url, *rest)

    lease(store, "one")
    noted: dict[str, Any] = {}
    machine = Resources(workers=1, environment={}, transport=Moving(), made_with=noted)
    output = distill(continue_to=1000).run(machine, shard(store, problems=[problem("p1", "one two")]))
    (trace,) = output.tables["generations"].to_pylist()
    (seam,) = output.tables["continuations"].to_pylist()
    begun, rest = output.tables["usage"].to_pylist()
    assert (begun["generation_id"], begun["part"], begun["server"]) == (trace["id"], 0, "one")
    assert (begun["prompt_tokens"], begun["completion_tokens"]) == (trace["prompt_tokens"], seam["tokens"])
    assert (rest["part"], rest["server"]) == (1, "two")
    assert rest["completion_tokens"] == trace["completion_tokens"] - seam["tokens"]
    assert noted["model tiny"]["servers"] == {
        one["server"]: [1, one["prompt_tokens"], one["completion_tokens"]] for one in (begun, rest)
    }


def test_an_answer_of_the_sample_store_keeps_who_gave_it(store: Store) -> None:
    """Trap: a retry finds the answers of the try before, and the server that gave them is gone."""
    inputs = shard(store, problems=[problem("p1", "one two")])
    lease(store, "one")
    machine = Resources(workers=1, environment={}, transport=FakeServer())
    first = distill().run(machine, inputs).tables["usage"]
    lease(store, "two")
    assert distill().run(machine, inputs).tables["usage"].equals(first)


def test_an_endpoint_that_was_up_is_no_server_of_the_run(store: Store) -> None:
    output = distill().run(resources(FakeServer()), shard(store, problems=[problem("p1", "one two")]))
    assert "usage" not in output.tables


@pytest.mark.parametrize(
    ("first", "rest", "whole"), [(4, 3, 7), (4, 0, 4), (None, 3, None), (4, None, None), (None, None, None)]
)
def test_a_trace_of_which_a_part_was_not_counted_is_not_counted(
    first: int | None, rest: int | None, whole: int | None
) -> None:
    """Trap: a part that nobody counted had no token, and the trace those of the other."""
    begun = Trace("p", 0, Reply("one", "length", 2, first))
    assert traces.joined(begun, Reply(" two", "stop", 6, rest)).reply.completion_tokens == whole
