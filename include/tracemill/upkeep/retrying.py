"""Lets the next run ask again for rows that the world refused: their shards are unsealed, their answers forgotten.

A refusal (poison, refused, too_long, unmeasured) was never an answer: unsealing the shard is enough. An answer that a
provider's filter cut (content_filter), or that ended for a reason nobody knows, is stored, and is forgotten first, also
where no shard was sealed with it. All other answers of the shard are found again and cost nothing.

What a retry undid is written below `retries/`. Versions that were published stay as they are, since their files are
reached by name; while a shard is not sealed nothing new can be published, and the next version lists what came of it
among what it added. Killed half-way, the same command goes on: a shard's current manifest is removed last.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass

import pyarrow.compute as pc

from tracemill.engine.keys import remove, samples_root
from tracemill.engine.resources import Resources
from tracemill.engine.store import Manifest, Store
from tracemill.engine.tables import table_named
from tracemill.errors import RecipeError
from tracemill.models.samples import SampleStore
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe
from tracemill.upkeep.answers import asked_by, sealed_shards

# Why a row has no answer though nothing is wrong with the row itself, and whether an answer is stored all the same.
REASONS = {
    "poison": False,
    "refused": False,
    "too_long": False,
    "unmeasured": False,
    "content_filter": True,
    "unknown": True,
}
_NAMED = ("reason", "finish_reason")


@dataclass(frozen=True)
class Refused:
    """A sealed shard, and how many of its rows were refused for the reason."""

    step: str
    shard: int
    rows: int
    fingerprint: str


def refused(reason: str, recipe: Recipe, store: Store) -> list[Refused]:
    """The sealed shards that hold such rows. Raises RecipeError for a reason that no retry can change."""
    if reason not in REASONS:
        raise RecipeError(
            f"no row was refused by the world for {reason!r}: asking again would give the same. Reasons to ask again "
            f"are {', '.join(REASONS)}"
        )
    found = []
    for name, step in recipe.pipeline().items():
        if not isinstance(step, AskingStep):
            continue
        for shard in sealed_shards(store, name):
            manifest = store.manifest(name, shard)
            rows = _rows(reason, manifest, store) if manifest else 0
            if manifest and rows:
                found.append(Refused(name, shard, rows, manifest.fingerprint))
    return found


def retry(reason: str, found: list[Refused], recipe: Recipe, store: Store, resources: Resources) -> int:
    """Unseal these shards and forget the answers of that kind; returns how many were forgotten."""
    dropped = 0
    if REASONS[reason]:
        for identity in _asked(found, recipe, store, resources):
            dropped += SampleStore(samples_root(store, resources), identity).drop(reason)
    record = {"at": time.time(), "reason": reason, "shards": [[one.step, one.shard, one.rows] for one in found]}
    store.write_bytes(f"retries/{uuid.uuid4().hex}.json", json.dumps({**record, "forgotten": dropped}).encode())
    for one in found:
        remove(store, f"{one.step}/{one.shard:05d}/{one.fingerprint}.json")
        remove(store, f"{one.step}/{one.shard:05d}.json")
    return dropped


def _rows(reason: str, manifest: Manifest, store: Store) -> int:
    """How many rows of a shard's tables name the reason."""
    count = 0
    for name, stored in manifest.tables.items():
        known = table_named(name).columns
        for column in _NAMED:
            if known is not None and column in known.names and stored.rows:
                values = store.get_table(stored, [column])[column]
                count += int(pc.sum(pc.equal(values, reason)).as_py() or 0)
    return count


def _asked(found: list[Refused], recipe: Recipe, store: Store, resources: Resources) -> set[str]:
    """The identities of the models that these shards asked, and of those that the recipe asks now."""
    asked: set[str] = set()
    for one in found:
        asked |= set(asked_by(store.manifest(one.step, one.shard)).values())
    machine = recipe.located(resources)
    for step in recipe.steps.values():
        for model in step.served() if isinstance(step, AskingStep) else ():
            with suppress(RecipeError):  # weights that nobody has, nor ever had: then they answered nothing
                asked.add(model.identity(machine, store))
    return asked
