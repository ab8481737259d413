"""What the engine knows of a recipe: its name, its steps in the order in which they run, and where its paths start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tracemill.engine.resources import Resources
from tracemill.engine.step import Step
from tracemill.engine.store import Store

PLAN = "plan"
INGEST = "ingest"


class Pipeline(Protocol):
    """Steps by name, in the order in which they run. A recipe is one."""

    @property
    def name(self) -> str:
        """What the pipeline is called, in messages."""
        ...

    def pipeline(self) -> Mapping[str, Step]:
        """All steps by name, in order."""
        ...

    def step(self, name: str) -> Step:
        """The step of that name. Raises RecipeError for one that there is not."""
        ...

    def before(self, name: str) -> Iterator[tuple[str, Step]]:
        """The steps that run before that one, in order."""
        ...

    def located(self, resources: Resources) -> Resources:
        """The machine, on which the pipeline's relative paths start at its own folder."""
        ...

    def remember(self, store: Store) -> None:
        """Write the pipeline into the store, so that reports need nothing but the store."""
        ...


def first_of(pipeline: Pipeline, kind: str) -> str | None:
    """The name of the first step of a kind; None where there is none."""
    return next((name for name, step in pipeline.pipeline().items() if getattr(step, "kind", "") == kind), None)
