"""Measures what a refresh costs beside the full run: shards computed and CPU seconds, on a store of the caller's."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

from rich.console import Console

from tracemill.engine.resources import Resources
from tracemill.recipe import Recipe
from tracemill.versions.refresh import Refreshed, refresh


@dataclass(frozen=True)
class Cost:
    """What one refresh took: shards computed and reused, and CPU seconds of this process and its ended children."""

    computed: int
    reused: int
    cpu_seconds: float


@dataclass(frozen=True)
class RefreshShare:
    """The full run, the refresh after the sources had grown, and a refresh without news."""

    full: Cost
    grown: Cost
    idle: Cost

    @property
    def shards(self) -> float:
        """Shards that the refresh computed, of those that it needed."""
        return self.grown.computed / (self.grown.computed + self.grown.reused)

    @property
    def cpu(self) -> float:
        """CPU seconds of the refresh beside those of the full run."""
        return self.grown.cpu_seconds / self.full.cpu_seconds


def refresh_share(recipe: Recipe, root: str, resources: Resources, grow: Callable[[], object]) -> RefreshShare:
    """Run the recipe on a new store at `root`, call `grow` to add rows to its sources, and refresh twice.

    Raises ValueError when `root` held a version already or `grow` added nothing: there would be nothing to measure.
    """
    full, first = _cost(recipe, root, resources)
    grow()
    grown, second = _cost(recipe, root, resources)
    idle, _ = _cost(recipe, root, resources)
    for done, what in ((first, "the full run"), (second, "the refresh")):
        if done.published is None or not done.published.fresh:
            raise ValueError(f"{what} on {root} published nothing new: give a new root, and let `grow` add rows")
    return RefreshShare(full, grown, idle)


def _cost(recipe: Recipe, root: str, resources: Resources) -> tuple[Cost, Refreshed]:
    before = _cpu_seconds()
    done = refresh(recipe, root, resources, Console(file=StringIO()))
    return Cost(done.computed, done.reused, _cpu_seconds() - before), done


def _cpu_seconds() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
