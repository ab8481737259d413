"""Adds up what the steps of a run took: rows, seconds of work, and tokens that a teacher wrote or a training saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from tracemill.distill.step import Distill
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Manifest, Store
from tracemill.recipe import Recipe
from tracemill.report.funnel import funnel
from tracemill.train.train import Train


@dataclass(frozen=True)
class StepWork:
    """What a step took: `rows` entered it, `seconds` are the work of all its shards, `tokens` written or learned from
    (None where a step has none).
    """

    recipe: str
    step: str
    rows: int
    unit: str
    seconds: float
    tokens: int | None


def step_work(recipe: Recipe, store: Store) -> Iterator[StepWork]:
    """What each step of a recipe took, in order. Of tables only the columns of tokens are read."""
    for stage in funnel(recipe, store).steps:
        tokens = _tokens(recipe, store, stage.step)
        yield StepWork(recipe.name, stage.step, stage.entered, stage.unit, stage.seconds or 0.0, tokens)


def _tokens(recipe: Recipe, store: Store, name: str) -> int | None:
    """Tokens that a teacher wrote, or that a training went through."""
    step = recipe.steps.get(name)
    if isinstance(step, Train):
        return sum(int(manifest.made_with.get("tokens", 0)) for manifest in sealed_shards(store, name))
    if not isinstance(step, Distill):
        return None
    tables = (store.get_table(one.tables["generations"], ["completion_tokens"]) for one in sealed_shards(store, name))
    return sum(int(pc.sum(table["completion_tokens"]).as_py() or 0) for table in tables)


def sealed_shards(store: Store, name: str) -> list[Manifest]:
    """The manifests of a step's shards that are sealed; a gather step has one."""
    found = store.manifests((name, shard) for shard in range(shard_count(store)))
    return [manifest for manifest in found if manifest is not None]
