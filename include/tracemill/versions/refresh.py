"""Refreshes and recalls in this process, as the DAGs do them: what is sealed is reused, versions come last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from tracemill.decontaminate.benchmark import Benchmark
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.local.preflight import require_ready
from tracemill.local.run import Run
from tracemill.recipe import Recipe
from tracemill.release.exports.step import Export
from tracemill.versions.held_back import count_held_back
from tracemill.versions.recall import announce, recall_again, revoke, scan
from tracemill.versions.versions import Cause, Published, release_name, seal_version
from tracemill.versions.watermark import due, remember


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: why it was due ([]: it was not, and nothing else happened), and how many shards it took.

    `held_back`: see tracemill.versions.held_back.
    """

    reasons: list[str]
    computed: int = 0
    reused: int = 0
    published: Published | None = None
    held_back: int = 0


def refresh(recipe: Recipe, root: str, resources: Resources, console: Console, anyway: bool = False) -> Refreshed:
    """Bring the release up to its sources and publish what came of it as a version; `anyway`: also when none changed.

    Raises SourceError for a source that is missing, shrank or has another schema; the last version then stays as it is.
    """
    store = Store.at(root, create=True)
    now, reasons = due(recipe, store, resources)
    if not reasons and not anyway:
        return Refreshed([])
    run = Run(recipe, root, resources, console)
    require_ready(recipe, run.store, resources)
    run.go()
    published = publish_version(recipe, store, resources, "refresh")
    remember(store, now)
    late = count_held_back(recipe, store)
    return Refreshed(reasons or ["it was asked for"], run.computed, run.reused, published, late)


def publish_version(recipe: Recipe, store: Store, resources: Resources, cause: Cause) -> Published:
    """Compare what is new with all recalled benchmarks, leave out what they revoke, and seal the version."""
    recall_again(recipe, store, resources)
    run_shard(recipe, store, release_name(recipe), 0, resources)
    for name, step in recipe.steps.items():
        if isinstance(step, Export):  # what was revoked leaves the training sets, too
            run_shard(recipe, store, name, 0, resources)
    return seal_version(recipe, store, resources, cause)


def recall(
    recipe: Recipe, store: Store, benchmark: Benchmark, resources: Resources, accepted: Collection[str] = ()
) -> tuple[int, Published]:
    """Take back what the benchmark gives away; returns how many lines the list gained, and the patched version.

    `accepted`: suspects that are revoked too, by the ids of their problems, or "all".
    """
    announced = announce(recipe, store, benchmark, resources)
    for shard in range(shard_count(store)):
        scan(recipe, store, announced, shard, resources)
    gained = revoke(recipe, store, announced, accepted)
    return gained, publish_version(recipe, store, resources, "recall")


def say(console: Console, done: Refreshed) -> None:
    """Print what a refresh did."""
    if done.published is None:
        console.print("Nothing is new: the sources and the recipe are what the last version was made from.")
        return
    console.print(f"Refreshed because {escape('; '.join(done.reasons))}.", soft_wrap=True)
    console.print(f"{done.computed} shards computed, {done.reused} reused.")
    announce_version(console, done.published)
    if done.held_back:
        console.print(
            f"{done.held_back:,} problems came later than a worse one that they duplicate, which was kept and stays: "
            "tracemill versions --held-back lists them.",
            soft_wrap=True,
        )


def announce_version(console: Console, published: Published) -> None:
    """Print which version a release is, and what it changed."""
    version = published.version
    totals = published.version.totals
    if not published.fresh:
        console.print(f"No new version: this is {version.name} already ({version.rows:,} rows).")
        return
    why = ", ".join(f"{reason} {count:,}" for reason, count in totals.reasons.items())
    removed = f"{totals.removed:,} removed" + (f" ({escape(why)})" if why else "")
    console.print(
        f"Published {version.name}: {version.rows:,} rows, {totals.added:,} added, {removed}.", soft_wrap=True
    )
