"""Shows a selection by difficulty what it would see of a store: batches of whole shards, as little as will do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import pyarrow as pa

from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for, shard_count
from tracemill.engine.step import Inputs
from tracemill.engine.store import Store
from tracemill.recipe import Recipe
from tracemill.select.algorithm1 import SCORES
from tracemill.select.graded import Graded, graded, scored, with_mode
from tracemill.select.stage_one import StageOne

BATCH = 1_500_000  # rows of scores that are looked at together: groups enough for all cores, some 300 MB


class Seen:
    """The inputs of step `name`, shard by shard."""

    def __init__(self, recipe: Recipe, store: Store, name: str, machine: Resources) -> None:
        self._recipe = recipe
        self._store = store
        self._name = name
        self._machine = recipe.located(machine)

    def batches(self, wanted: str, lucky: bool) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
        """Tables `scores` and `grades`, some shards together. `wanted`: "grades" alone, "scores", or "responses",
        which are scores with their ids. `lucky`: whether grades must tell whose passes are luck.
        """
        held = list[tuple[pa.Table | None, pa.Table | None]]()
        rows = 0
        for inputs in self._shards:
            grades = graded(inputs, inputs.index) if lucky or wanted == "grades" else None
            scores = None if wanted == "grades" else self._scores(inputs, wanted)
            held.append((scores, grades))
            rows += sum(one.num_rows for one in (scores, grades) if one is not None)
            if rows >= BATCH:
                yield _together(held)
                held = []
                rows = 0
        if held:
            yield _together(held)

    def grades_tell(self, step: Graded) -> bool:
        """Whether the grades alone say what the scores would: no response is gone, no setting adds them up anew."""
        if step.thresholds or step.at_threshold != "scored" or not isinstance(step, StageOne):
            return False
        graders = [s for _, s in self._recipe.before(self._name) if getattr(s, "kind", "") == "grade"]
        return len(graders) == 1 and getattr(graders[0], "ddof", None) == step.ddof and self._whole

    @cached_property
    def _shards(self) -> list[Inputs]:
        numbers = range(shard_count(self._store))
        if self._recipe.step(self._name).shape == "map":
            return [inputs_for(self._recipe, self._store, self._name, index) for index in numbers]
        every = inputs_for(self._recipe, self._store, self._name, 0)
        return [Inputs(every.store, k, every.sealed, every.whole, every.shard_count) for k in numbers]

    @cached_property
    def _whole(self) -> bool:
        return all(self._all_live(inputs) for inputs in self._shards)

    def _all_live(self, inputs: Inputs) -> bool:
        """Whether every scored response lives, as the sealed step counted: then their ids need not be read."""
        sealed = self._store.manifest(self._name, inputs.index)
        step = self._recipe.step(self._name)
        if sealed is None or not isinstance(step, StageOne):
            return False
        if sealed.fingerprint != fingerprint_of(step, self._machine, inputs):
            return False
        counts = sealed.counts
        return inputs.row_count("scores") == counts.entered - counts.rejected.get("unscored", 0)

    def _scores(self, inputs: Inputs, wanted: str) -> pa.Table:
        if wanted == "responses" or not self._whole:
            return scored(inputs, inputs.index)
        scores = with_mode(inputs.table("scores", list(SCORES[1:])))
        blank = pa.nulls(scores.num_rows, pa.string())
        return scores.append_column("generation_id", blank).append_column("living", pa.repeat(True, scores.num_rows))


def _together(held: list[tuple[pa.Table | None, pa.Table | None]]) -> tuple[pa.Table | None, pa.Table | None]:
    scores = [one for one, _ in held if one is not None]
    grades = [one for _, one in held if one is not None]
    return pa.concat_tables(scores) if scores else None, pa.concat_tables(grades) if grades else None
