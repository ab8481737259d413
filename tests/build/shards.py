"""Several sealed shards of invented problems, so that the dedup steps can be run in order without a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.build.shard import rows
from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.store import Counts, Manifest, Store

HASHING = {"kind": "hashing"}


def problem(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"id": problem_id(prompt), "prompt": prompt, "source": "invented", "source_rank": 0, **fields}


class Shards:
    """Runs steps in the order they are called and seals what they made, as the runner does."""

    def __init__(self, store: Store, *shards: Sequence[Mapping[str, Any]], workers: int = 1, **tables: Any) -> None:
        self.store, self.resources = store, Resources(workers=workers)
        self.sealed: dict[int, list[Manifest]] = {}
        self.gathered: dict[str, Manifest] = {}
        for index, problems in enumerate(shards):
            self.add(problems, **{name: values[index] for name, values in tables.items()})

    def add(self, problems: Sequence[Mapping[str, Any]], **tables: Any) -> int:
        """A new shard, ingested; returns its number."""
        index = len(self.sealed)
        made = {"problems": rows("problems", problems)} | {name: rows(name, values) for name, values in tables.items()}
        self.sealed[index] = [self._seal("ingest", index, made)]
        return index

    def inputs(self, step: Step, index: int) -> Inputs:
        if step.shape == "gather":
            earlier = self.gathered.get(_kind(step))
            return Inputs(self.store, index, self.sealed, [], len(self.sealed), earlier)
        return Inputs(self.store, index, {index: self.sealed[index]}, list(self.gathered.values()), len(self.sealed))

    def run(self, step: Step, index: int = 0) -> Output:
        """Run and seal one shard of a step (or the whole gather step)."""
        inputs = self.inputs(step, index)
        output = step.run(self.resources, inputs)
        reconcile("tested", step, inputs, output)
        manifest = self._seal(_kind(step), index, {**output.tables, "ledger": output.ledger})
        manifest = manifest.model_copy(update={"tables": {**output.carried, **manifest.tables}})
        if step.shape == "gather":
            self.gathered[_kind(step)] = manifest
        else:
            self.sealed[index].append(manifest)
        return output

    def run_all(self, step: Step) -> list[Output]:
        """Run and seal every shard of a map step."""
        return [self.run(step, index) for index in self.sealed]

    def _seal(self, step: str, index: int, tables: Mapping[str, Any]) -> Manifest:
        stored = {name: self.store.put_table(table, step, index, name) for name, table in tables.items()}
        counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
        return Manifest(step=step, index=index, fingerprint="f", unit="problem", counts=counts, tables=stored)


def _kind(step: Step) -> str:
    return str(getattr(step, "kind", "step"))
