"""One sealed shard of invented rows, so that a step can be run on it without a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer

MODEL: dict[str, Any] = {"name": "tiny", "weights": "org/tiny", "revision": "abc"}
AT = '{"tiny": [{"url": "http://fake", "model": "tiny"}], "critic": [{"url": "http://fake", "model": "critic"}]}'


def rows(table: str, values: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table with the documented columns; what a row does not name is null."""
    schema = columns_of(table)
    return pa.Table.from_pylist([{name: value.get(name) for name in schema.names} for value in values], schema)


def problem(identity: str, prompt: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "prompt": prompt, "source": "invented", "native_id": identity, **fields}


def generation(identity: str, problem_id: str, answer: str = "\\boxed{1}", **fields: Any) -> dict[str, Any]:
    parts = {"style": "am", "think_content": "hm", "answer_content": answer, "teacher": "old", "sample_index": 0}
    return {"id": identity, "problem_id": problem_id, "source": "invented", **parts, **fields}


def shard(store: Store, **tables: Sequence[Mapping[str, Any]]) -> Inputs:
    """Inputs that hold one shard with these tables."""
    made = {name: rows(name, values) for name, values in tables.items()}
    stored = {name: store.put_table(table, "ingest", 0, name) for name, table in made.items()}
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    manifest = Manifest(step="ingest", index=0, fingerprint="f", unit="row", counts=counts, tables=stored)
    return Inputs(store, 0, {0: [manifest]}, [], 1)


def turned_away(unit: Any, identity: str) -> dict[str, Any]:
    row: dict[str, Any] = ledger_rows(unit, [identity], "rejected", "for_a_test").to_pylist()[0]
    return row


def resources(server: FakeServer, **environment: str) -> Resources:
    return Resources(workers=1, environment={ENDPOINTS: AT, **environment}, transport=server)


def run(step: Step, server: FakeServer, inputs: Inputs, **environment: str) -> Output:
    """Run the step and check what the runner checks: no row lost, none invented, documented columns."""
    output = step.run(resources(server, **environment), inputs)
    reconcile("tested", step, inputs, output)
    for name, table in output.tables.items():
        inputs.store.put_table(table, "tested", 0, name)
    return output


def ledger(output: Output) -> dict[str, tuple[str, str | None]]:
    """Bucket and reason by id."""
    return {row["id"]: (row["bucket"], row["reason"]) for row in output.ledger.to_pylist()}
