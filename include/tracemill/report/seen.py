"""Shows a selection by difficulty what it would see of a store: batches of whole shards, as little as will do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import pyarrow as pa

from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_of_shards
from tracemill.engine.step import Inputs, Step
from tracemill.engine.store import Manifest, Store
from tracemill.recipe import Recipe
from tracemill.select.algorithm1 import Shown
from tracemill.select.graded import LEAST, Graded, graded, scored
from tracemill.select.stage_one import StageOne

BATCH = 1_500_000  # rows of scores that are looked at together: groups enough for all cores, some 300 MB


class Seen:
    """The inputs of step `name`, shard by shard."""

    def __init__(self, recipe: Recipe, store: Store, name: str, machine: Resources) -> None:
        self._recipe = recipe
        self._store = store
        self._name = name
        self._machine = recipe.located(machine)

    def batches(self, wanted: str, lucky: bool) -> Iterator[tuple[Shown | None, Shown | None]]:
        """`scores` and `grades` of some shards together. `wanted`: "grades" alone, "scores", or "responses", which are
        scores with their ids. `lucky`: whether grades must tell whose passes are luck.

        On a disk that is this machine's what needs no other table is named by its files, which DuckDB reads itself.
        """
        held = list[Inputs]()
        rows = 0
        for inputs in self._shards:
            held.append(inputs)
            rows += inputs.row_count("grades" if wanted == "grades" else "scores")
            if rows >= BATCH:
                yield self._together(held, wanted, lucky)
                held = []
                rows = 0
        if held:
            yield self._together(held, wanted, lucky)

    def _together(self, held: list[Inputs], wanted: str, lucky: bool) -> tuple[Shown | None, Shown | None]:
        by_file = self._store.on_disk and wanted != "responses" and self._whole and self._one_grader
        if by_file:
            files = {name: [one for inputs in held for one in inputs.paths(name)] for name in ("scores", "grades")}
            scores: Shown | None = None if wanted == "grades" else files["scores"]
            return scores, files["grades"] if lucky or wanted == "grades" else None
        parts = None if wanted == "grades" else pa.concat_tables([scored(one, one.index) for one in held])
        grades = [graded(one, one.index) for one in held] if lucky or wanted == "grades" else None
        return parts, pa.concat_tables(grades) if grades else None

    def grades_tell(self, step: Graded) -> bool:
        """Whether the grades alone say what the scores would: no response is gone, no setting adds them up anew."""
        if step.thresholds or step.at_threshold != "scored" or not isinstance(step, StageOne):
            return False
        return self._one_grader and self._whole

    @property
    def graded_ddof(self) -> int:
        """What was taken from the number of scores in the deviations of `grades`."""
        return int(getattr(self._graders[0], "ddof", 0)) if self._graders else 0

    @property
    def least_decided(self) -> int:
        """Of fewer decided samples a problem is ungraded."""
        return int(getattr(self._graders[0], "least_decided", LEAST)) if self._graders else LEAST

    @property
    def rows(self) -> int:
        """How many scores there are."""
        return sum(inputs.row_count("scores") for inputs in self._shards)

    @property
    def threads(self) -> int:
        """Threads that may look at them."""
        return self._machine.workers

    @cached_property
    def _graders(self) -> list[Step]:
        return [step for _, step in self._recipe.before(self._name) if getattr(step, "kind", "") == "grade"]

    @property
    def _one_grader(self) -> bool:
        return len(self._graders) == 1

    @cached_property
    def _shards(self) -> list[Inputs]:
        return inputs_of_shards(self._recipe, self._store, self._name)

    @cached_property
    def _whole(self) -> bool:
        """Whether every scored response lives, as the sealed steps counted: then their ids need not be read."""
        step = self._recipe.step(self._name)
        if not isinstance(step, StageOne):
            return False
        sealed = self._store.manifests((self._name, inputs.index) for inputs in self._shards)
        pairs = zip(self._shards, sealed, strict=True)
        return all(one is not None and self._all_live(step, inputs, one) for inputs, one in pairs)

    def _all_live(self, step: StageOne, inputs: Inputs, sealed: Manifest) -> bool:
        counts = sealed.counts
        if inputs.row_count("scores") != counts.entered - counts.rejected.get("unscored", 0):
            return False
        return sealed.fingerprint == fingerprint_of(step, self._machine, inputs)
