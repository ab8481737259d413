"""A shard's texts are in memory about once, whatever signs they hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from tests.build.shard import MODEL, problem, shard
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.lease import Lease, renew
from tracemill.models.transport import Response

TEXT = "if a ≤ b, " * 6_000  # 72 kB; Python holds two bytes a letter for it
ROWS = 150


class Long:
    """Answers with long texts, each another one, and keeps none."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        asked = orjson.loads(body)["messages"][0]["content"]
        message = {"content": f"<think>{TEXT}{asked}</think>{asked}"}
        return Response(200, {}, {"choices": [{"message": message, "finish_reason": "stop"}]})


def test_a_shard_holds_less_than_twice_its_text(tmp_path: Path) -> None:
    """Trap: answers, rows, columns and parts of the sample store, each with a copy of every text."""
    store = Store.at(str(tmp_path), create=True)
    renew(store, Lease(model="tiny", identity="org/tiny@abc", replica=0, url="http://x", host="h", pid=1, renewed=0))
    step = Distill.model_validate(
        {"kind": "distill", "teacher": {"kind": "chat", "model": {**MODEL, "serve": {"concurrency": 8}}}}
    )
    inputs = shard(store, problems=[problem(f"p{n}", f"problem {n}") for n in range(ROWS)])
    machine = Resources(workers=1, environment={}, transport=Long())
    tracemalloc.start()
    try:
        output = step.run(machine, inputs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    table = output.tables["generations"]
    text = ROWS * len(TEXT.encode())
    assert table.num_rows == ROWS
    assert table.nbytes < 1.05 * text
    assert peak + table.nbytes < 2.6 * text  # the peak comes before the table has grown: their sum is a bound
    assert peak < 1.6 * text
