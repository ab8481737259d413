"""Runs one step on one shard: reuse what is sealed, else work, account for every row, and seal. The same code runs
under Airflow, the command line and the tests.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from tracemill.engine.objects import scratch_folder
from tracemill.engine.pipeline import PLAN, Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.store import Counts, Manifest, Store, canonical_digest
from tracemill.errors import ConservationError, MissingInput


@dataclass(frozen=True)
class ShardResult:
    """A sealed shard; `reused` when it was sealed before and nothing was computed."""

    manifest: Manifest
    reused: bool


def run_shard(pipeline: Pipeline, store: Store, name: str, index: int, resources: Resources) -> ShardResult:
    """Guarantee that shard `index` of step `name` is sealed for today's settings and inputs.

    Raises MissingInput when an earlier step has not sealed its part, ConservationError when the step lost a row.
    """
    step = pipeline.step(name)
    resources = pipeline.located(resources)
    if name == PLAN:
        pipeline.remember(store)
    inputs = inputs_for(pipeline, store, name, index)
    fingerprint = fingerprint_of(step, resources, inputs)
    sealed = store.sealed_as(name, index, fingerprint)
    if sealed is not None:
        return ShardResult(sealed, reused=True)
    return ShardResult(store.seal(_computed(step, store, name, inputs, fingerprint, resources)), reused=False)


def _computed(step: Step, store: Store, name: str, inputs: Inputs, fingerprint: str, resources: Resources) -> Manifest:
    """Run the step, account for every row, and store what it made; nothing is committed yet."""
    began = time.monotonic()
    index = inputs.index
    with scratch_folder(f"step {name!r}") as scratch:
        noted: dict[str, Any] = {}
        output = step.run(replace(resources, scratch=scratch, made_with=noted), inputs)
        counts = reconcile(name, step, inputs, output)
        tables = {**output.tables, "ledger": output.ledger}
        return Manifest(
            step=name,
            index=index,
            fingerprint=fingerprint,
            unit=step.unit,
            counts=counts,
            tables={**output.carried, **{n: store.put_table(t, name, index, n) for n, t in tables.items()}},
            files={n: store.put_content(p, f"{name}/{index:05d}/{p.stem}", p.suffix) for n, p in output.files.items()},
            settings=step.settings(inputs),
            made_with={**noted, **output.made_with},
            seconds=round(time.monotonic() - began, 3),
        )


def inputs_for(pipeline: Pipeline, store: Store, name: str, index: int) -> Inputs:
    """Collect the manifests that a step reads. Raises MissingInput naming the step and shard that must run first."""
    step = pipeline.step(name)
    count = 0 if name == PLAN else shard_count(store)
    shards = [index] if step.shape == "map" else list(range(count))
    if step.shape == "map" and not 0 <= index < count:
        raise MissingInput(f"step {name!r} has no shard {index}: the plan made {count}, numbered from 0")
    mapped, gathered = steps_read(pipeline, name)
    found = _sealed(store, [(n, k) for k in shards for n in mapped] + [(n, 0) for n in gathered], name)
    sealed = {k: found[i * len(mapped) : (i + 1) * len(mapped)] for i, k in enumerate(shards)}
    whole = found[len(shards) * len(mapped) :]
    return Inputs(store, index, sealed, whole, count, store.manifest(name, index) if step.shape == "gather" else None)


def inputs_of_shards(pipeline: Pipeline, store: Store, name: str) -> list[Inputs]:
    """What a step may read of each shard in turn, also where it gathers them; every manifest is read once."""
    mapped, gathered = steps_read(pipeline, name)
    count = shard_count(store)
    found = _sealed(store, [(n, k) for k in range(count) for n in mapped] + [(n, 0) for n in gathered], name)
    whole = found[count * len(mapped) :]
    return [Inputs(store, k, {k: found[k * len(mapped) : (k + 1) * len(mapped)]}, whole, count) for k in range(count)]


def steps_read(pipeline: Pipeline, name: str) -> tuple[list[str], list[str]]:
    """The map steps and the gather steps that step `name` reads something of, in their order; `plan` is none."""
    wanted = set(pipeline.step(name).reads)
    before = list(pipeline.before(name))
    mapped = [n for n, s in before if s.shape == "map" and wanted & {*s.writes, "ledger"} and n != PLAN]
    return mapped, [n for n, s in before if s.shape == "gather" and wanted & set(s.writes)]


def shard_count(store: Store) -> int:
    """How many shards the plan made. Raises MissingInput before the plan is sealed."""
    plan = store.manifest(PLAN, 0)
    if plan is None:
        raise MissingInput(f"step {PLAN!r} has not run on this store yet: run it first")
    return plan.tables["plan"].rows or 0


def shards_of(step: Step, store: Store) -> range:
    """The shards that a step has: each of the plan's, or one of all. Raises MissingInput as `shard_count`."""
    return range(shard_count(store)) if step.shape == "map" else range(1)


def fingerprint_of(step: Step, resources: Resources, inputs: Inputs) -> str:
    """Identify a shard's content before computing it: settings, step version, outside material, input digests."""
    return canonical_digest(
        {
            "kind": getattr(step, "kind", type(step).__name__),
            "version": step.version,
            "settings": step.settings(inputs),
            "material": dict(step.material(resources, inputs)),
            "inputs": step.input_digests(inputs),
        }
    )[:40]


def reconcile(name: str, step: Step, inputs: Inputs, output: Output) -> Counts:
    """Count the buckets; raise ConservationError unless every row that entered is in the ledger exactly once."""
    left_ids = output.ledger["id"]
    ids = left_ids if step.unit == "row" else step.entering(inputs)
    if not ids.equals(left_ids) and (entered := Counter(ids.to_pylist())) != (left := Counter(left_ids.to_pylist())):
        lost = entered - left
        extra = left - entered
        raise ConservationError(
            f"step {name!r}, shard {inputs.index}: {lost.total()} rows lost (such as {next(iter(lost), None)}), "
            f"{extra.total()} doubled or invented (such as {next(iter(extra), None)}); nothing was sealed"
        )
    return _counts(output.ledger)


def _counts(ledger: pa.Table) -> Counts:
    grouped = ledger.group_by(["bucket", "reason"]).aggregate([([], "count_all")]).to_pylist()
    by_bucket: dict[str, dict[str, int]] = {"kept": {}, "rejected": {}, "quarantined": {}}
    for row in grouped:
        by_bucket[row["bucket"]][row["reason"] or ""] = row["count_all"]
    return Counts(
        entered=ledger.num_rows,
        kept=sum(by_bucket["kept"].values()),
        rejected=dict(sorted(by_bucket["rejected"].items())),
        quarantined=dict(sorted(by_bucket["quarantined"].items())),
    )


def _sealed(store: Store, shards: list[tuple[str, int]], wanted_by: str) -> list[Manifest]:
    """The manifests of those (step, shard). Raises MissingInput for the first that is not sealed."""
    sealed = []
    for (name, index), manifest in zip(shards, store.manifests(shards), strict=True):
        if manifest is None:
            raise MissingInput(
                f"step {wanted_by!r} reads step {name!r}, whose shard {index} is not sealed: run {name!r} first"
            )
        sealed.append(manifest)
    return sealed
