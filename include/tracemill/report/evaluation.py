"""Reads what an evaluation came to from a store. Raises where there is none, or one that is out of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for
from tracemill.engine.step import Inputs
from tracemill.engine.store import Store
from tracemill.errors import MissingInput
from tracemill.evaluate.papers import beside
from tracemill.evaluate.step import Evaluate
from tracemill.recipe import Recipe


@dataclass(frozen=True)
class Evaluation:
    """The tables of one `evaluate` step, as frames; `level` is that of its intervals, `released` the days of models."""

    recipe: str
    level: float
    scores: pl.DataFrame
    items: pl.DataFrame
    differences: pl.DataFrame
    opinions: pl.DataFrame
    identity: str
    inputs: Inputs
    released: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Scores, differences and the papers' rows beside them, as JSON-like data."""
        titles = self.scores["title"].unique(maintain_order=True)
        return {
            "recipe": self.recipe,
            "interval": self.level,
            "evaluations": self.scores.to_dicts(),
            "differences": self.differences.to_dicts(),
            "second_opinions": self.opinions.height,
            "published": [row._asdict() for title in titles for row in beside(title)],
        }


def evaluation(recipe: Recipe, store: Store) -> Evaluation:
    """What the recipe's `evaluate` step found. Raises MissingInput where it has none, or none that is up to date."""
    named = {name: step for name, step in recipe.steps.items() if isinstance(step, Evaluate)}
    if not named:
        raise MissingInput(f"recipe {recipe.name!r} has no step of kind 'evaluate': add one behind `grade` and run it")
    name, step = next(iter(named.items()))
    inputs = inputs_for(recipe, store, name, 0)
    manifest = store.manifest(name, 0)
    if manifest is None or manifest.fingerprint != fingerprint_of(step, Resources(), inputs):
        why = "was not run" if manifest is None else "was made before something that it stands on changed"
        raise MissingInput(f"step {name!r} {why}: run it first")
    frames = (pl.DataFrame(store.get_table(manifest.tables[table])) for table in step.writes)
    scores, items, differences, opinions = frames
    return Evaluation(
        recipe.name, step.interval, scores, items, differences, opinions, manifest.fingerprint, inputs, step.released
    )
