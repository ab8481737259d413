"""Migrates a store to today's format: reads its sources again, matches old ids with new ones, and carries over what is
known by id. The marker is rewritten last, so a migration that died is begun again and finds what it had done.

What was paid for is found again under what it was asked; old shards stay until they are pruned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from tracemill.engine.identities import LAST_VERSION, STEP
from tracemill.engine.pipeline import INGEST, PLAN
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import FORMAT, Counts, Manifest, Store, canonical_digest
from tracemill.migration.carrying import carry_dedup, carry_revocations
from tracemill.migration.matching import generation_pairs, problem_pairs
from tracemill.migration.old_store import OldStore
from tracemill.recipe import Recipe
from tracemill.versions.watermark import Watermark, remember

Say = Callable[[str], None]


@dataclass(frozen=True)
class Migrated:
    """What a migration found: old and new problems, responses that were followed, new lines of revocation lists,
    and rows that dedup goes on keeping.
    """

    shards: int
    old_problems: int
    new_problems: int
    generations: int
    revocations: int
    anchors: int


def migrate(recipe: Recipe, store: Store, resources: Resources, say: Say) -> Migrated:
    """Bring the store, which is of format 1, to today's. Raises what reading the sources raises; it then stays old.

    Another run of this on the same store, at once or later, does the same work and harms nothing.
    """
    old = OldStore.noted(store)
    run_shard(recipe, store, PLAN, 0, resources)
    shards = shard_count(store)
    for shard in range(shards):
        run_shard(recipe, store, INGEST, shard, resources)
        say(f"shard {shard + 1} of {shards} read again")
    problems = problem_pairs(old)
    generations = generation_pairs(old, problems)
    say(f"{problems.num_rows:,} problems and {generations.num_rows:,} responses matched")
    _seal(store, old, problems, generations)
    revoked = carry_revocations(store, problems, generations)
    anchors = carry_dedup(old, problems, generations)
    remember(store, Watermark(recipe="", sources={}))  # the next refresh is due
    store.mark()
    before, after = (len(problems[name].unique()) for name in ("old_id", "new_id"))
    return Migrated(shards, before, after, generations.num_rows, revoked, anchors)


def would_migrate(recipe: Recipe, store: Store, resources: Resources) -> list[str]:
    """What a migration would do, in sentences; nothing is written. Raises SourceError for a source that is missing."""
    old = OldStore.seen(store)
    machine = recipe.located(resources)
    for source in recipe.sources:
        source.state(machine)
    rows = sum(manifest.counts.entered for manifest in old.manifests("provenance"))
    shards = len(old.note.shards.get(INGEST, {}))
    last = f"v{old.note.last_version}" if old.note.last_version else "none was published"
    return [
        f"{rows:,} rows of {len(recipe.sources)} sources in {shards} shards are read again and get the ids of "
        f"format {FORMAT}.",
        f"Revocation lists gain lines for the new ids; the next version is compared with the last ({last}) by them.",
        f"{old.kept_by_dedup().height:,} problems that dedup keeps are kept on.",
        "Answers of models are found again: none is asked for twice. Old shards stay.",
    ]


def _seal(store: Store, old: OldStore, problems: pa.Table, generations: pa.Table) -> None:
    tables = {"problem_ids": problems, "generation_ids": generations}
    stored = {name: store.put_table(table, STEP, 0, name) for name, table in tables.items()}
    settings = {"from": 1, "to": FORMAT, LAST_VERSION: old.note.last_version}
    digest = canonical_digest({**settings, **{name: one.sha256 for name, one in stored.items()}})[:40]
    count = problems.num_rows
    counts = Counts(entered=count, kept=count, rejected={}, quarantined={})
    store.seal(
        Manifest(
            step=STEP, index=0, fingerprint=digest, unit="problem", counts=counts, tables=stored, settings=settings
        )
    )
