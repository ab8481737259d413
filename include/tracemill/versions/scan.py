"""Finds what a benchmark that became known later takes out of what is released, without making anything anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.decontaminate.step import Decontaminate
from tracemill.engine.pipeline import PLAN
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile, shard_count
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, Store
from tracemill.engine.tables import columns_of, empty
from tracemill.errors import MissingInput
from tracemill.recipe import Recipe


@dataclass(frozen=True)
class Recalled:
    """One shard, looked at again: its `revocations`, the `contamination` evidence, and how many problems it has."""

    shard: int
    checked: int
    revocations: pa.Table
    contamination: pa.Table


def scanned(recipe: Recipe, store: Store, step: Decontaminate, resources: Resources) -> Iterator[Recalled]:
    """Check every problem of every shard that is alive after all steps against the benchmarks of `step`.

    The texts and the embeddings are those on the store; `step` need not be in the recipe, but its embedder must be the
    one that the shards were signed with. Yields shard by shard, so that shards can be tasks. Raises MissingInput when a
    shard is not sealed to the end, RecipeError for another embedder, SourceError for an unusable benchmark file.
    """
    for shard in range(shard_count(store)):
        yield scanned_shard(recipe, store, step, resources, shard)


def scanned_shard(recipe: Recipe, store: Store, step: Decontaminate, resources: Resources, shard: int) -> Recalled:
    """As `scanned`, for one shard."""
    inputs = everything_sealed(recipe, store, shard)
    output = step.checked(recipe.located(resources), inputs, kept=None)
    reconcile("recall", step, inputs, output)
    hit = output.ledger.filter(pc.equal(output.ledger["bucket"], "rejected"))
    return Recalled(shard, output.ledger.num_rows, _revocations(inputs, hit), output.tables["contamination"])


def revocation_list(found: Iterable[Recalled]) -> pa.Table:
    """All revocations, in shard order: the table `revocations`."""
    return pa.concat_tables([empty("revocations"), *(one.revocations for one in found)])


def everything_sealed(recipe: Recipe, store: Store, shard: int) -> Inputs:
    """All that the recipe's map steps have sealed for that shard."""
    sealed: list[Manifest] = []
    for name, step in recipe.pipeline().items():
        if step.shape != "map" or name == PLAN:
            continue
        manifest = store.manifest(name, shard)
        if manifest is None:
            raise MissingInput(f"step {name!r} has not sealed shard {shard}: finish the release, then recall")
        sealed.append(manifest)
    return Inputs(store, shard, {shard: sealed}, [], shard_count(store))


def _revocations(inputs: Inputs, hit: pa.Table) -> pa.Table:
    """The ledger rows of problems that were hit, once for each of their released responses."""
    selected = inputs.table("selected", ["generation_id", "problem_id"])
    renamed = hit.select(["id", "reason", "score", "threshold", "detail"])
    renamed = renamed.rename_columns(["problem_id", "reason", "score", "threshold", "item"])
    joined = renamed.join(selected, "problem_id", join_type="left outer")
    joined = joined.append_column("shard", pa.repeat(pa.scalar(inputs.index, pa.int32()), joined.num_rows))
    ordered = joined.sort_by([("problem_id", "ascending"), ("generation_id", "ascending")])
    return ordered.select(columns_of("revocations").names).cast(columns_of("revocations"))
