"""Runs a recipe's steps one after the other in this process, with progress for people; no scheduler needed.

Models that a step asks and that answer nowhere are served from this process while the step runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Eta

from tracemill.engine.pipeline import PLAN
from tracemill.engine.resources import Resources
from tracemill.engine.runner import ShardResult, run_shard, shards_of
from tracemill.engine.store import Store
from tracemill.engine.trial import whole_of
from tracemill.local.demand import unserved
from tracemill.local.hosting import hosted
from tracemill.local.known import from_store
from tracemill.recipe import Recipe

SILENT = 15.0  # seconds after which a step that no terminal shows is said to be at work


class Run:
    """Some steps of a recipe on one store. A step's shards run in order; each may use `resources.workers` processes.

    The store is made when there is none and the run begins with the plan, and that is said: a mistyped root does not
    go unseen.
    """

    def __init__(
        self, recipe: Recipe, root: str, resources: Resources, console: Console, steps: Sequence[str] | None = None
    ) -> None:
        self.recipe = recipe
        self.resources = resources
        self.console = console
        self.names = list(recipe.pipeline()) if steps is None else list(steps)
        for name in self.names:
            recipe.step(name)
        if PLAN in self.names and (whole := whole_of(root)):
            Store.at(whole, create=True)
        self.store = Store.at(root, create=PLAN in self.names)
        self.computed = self.reused = 0

    def go(self, shard: int | None = None) -> None:
        """Run the steps, or one shard of them. Raises what `run_shard` raises."""
        if self.store.manifest(PLAN, 0) is None:
            self.console.print(f"Starting anew in {escape(self.store.root)}", soft_wrap=True)
        for name in self.names:
            step = self.recipe.step(name)
            everything = shards_of(step, self.store)
            self._step(name, everything if shard is None else [shard])
        if self.computed == 0:
            self.console.print(f"Nothing was recomputed: all {self.reused} shards were sealed already.")

    def _step(self, name: str, shards: Sequence[int]) -> None:
        began = time.monotonic()
        with at_work(self.console, name), self._bar(name, len(shards)) as (progress, bar):
            results = self._known(name, shards)
            progress.advance(bar, len(results))
            left = shards[len(results) :]
            with hosted(self.recipe, self.store, name, left, self.resources):
                for index in left:
                    results.append(run_shard(self.recipe, self.store, name, index, self.resources))
                    progress.advance(bar)
        reused = sum(result.reused for result in results)
        self.reused += reused
        self.computed += len(results) - reused
        self.console.print(_summary(name, results, reused, time.monotonic() - began), soft_wrap=True)

    def _known(self, name: str, shards: Sequence[int]) -> list[ShardResult]:
        """The first shards, sealed, of a stage that would need a server which it has not: as far as none is needed."""
        if not unserved(self.recipe, self.store, name, shards, self.resources):
            return []

        def make(index: int, alone: Resources) -> ShardResult:
            return run_shard(self.recipe, self.store, name, index, alone)

        return from_store(self.recipe, self.store, name, shards, self.resources, make).made

    @contextmanager
    def _bar(self, name: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
        columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), Eta())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            yield progress, progress.add_task(escape(name), total=total)


@contextmanager
def at_work(console: Console, name: str, every: float = SILENT) -> Iterator[None]:
    """Say every so many seconds that a step goes on, where no bar does: a dozen rows may wait a minute for a model."""
    done = Event()
    began = time.monotonic()

    def say() -> None:
        while not done.wait(every):
            console.print(f"{escape(name)}: at work for {time.monotonic() - began:.0f} s", soft_wrap=True)

    voice = Thread(target=say, name=f"at work: {name}", daemon=True)
    if not console.is_terminal:
        voice.start()
    try:
        yield
    finally:
        done.set()
        if voice.ident is not None:
            voice.join()


def _summary(name: str, results: Sequence[ShardResult], reused: int, seconds: float) -> str:
    counts = [result.manifest.counts for result in results]
    entered = sum(c.entered for c in counts)
    kept = sum(c.kept for c in counts)
    rejected = sum(sum(c.rejected.values()) for c in counts)
    quarantined = sum(sum(c.quarantined.values()) for c in counts)
    rows = f"{entered:,} in, {kept:,} kept, {rejected:,} rejected, {quarantined:,} quarantined"
    shards = f"{len(results)} shards ({reused} sealed before)" if name != PLAN else "planned"
    return f"{escape(name):<16} {rows}; {shards}, {seconds:.1f} s"
