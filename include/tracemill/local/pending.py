"""Says which shards a run still has to work on, so that a scheduler makes no task for what is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tracemill.engine.pipeline import Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for, shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput
from tracemill.recipe import Recipe

_AT_ONCE = 8  # shards looked at together: on an object store a look waits for the network


def is_sealed(recipe: Pipeline, store: Store, stage: str, shard: int, resources: Resources) -> bool:
    """Whether the shard is sealed for today's settings and for its inputs as they lie on the store."""
    machine = recipe.located(resources)
    fingerprint = fingerprint_of(recipe.step(stage), machine, inputs_for(recipe, store, stage, shard))
    return store.sealed_as(stage, shard, fingerprint) is not None


def is_open(recipe: Pipeline, store: Store, stage: str, shard: int, resources: Resources) -> bool:
    """Whether the stage still has to work on the shard: also where its inputs are not there yet."""
    try:
        return not is_sealed(recipe, store, stage, shard, resources)
    except MissingInput:
        return True


def pending(recipe: Recipe, store: Store, stages: Sequence[str], resources: Resources) -> list[int]:
    """The shards of which some of these map stages is not sealed, in order.

    `stages` follow one another and begin where all stages before them are done, so that their inputs are known. Stages
    that the recipe lacks need nothing.
    """
    own = [stage for stage in stages if stage in recipe.pipeline()]

    def is_pending(shard: int) -> bool:
        return any(is_open(recipe, store, stage, shard, resources) for stage in own)

    with ThreadPoolExecutor(_AT_ONCE) as looks:
        found = list(looks.map(is_pending, range(shard_count(store))))
    return [shard for shard, open_ in enumerate(found) if open_]
