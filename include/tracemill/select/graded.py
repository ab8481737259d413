"""What both stages of selection by difficulty share: the settings of Algorithm 1, and what they are read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.engine.categories import named
from tracemill.engine.pool import pool
from tracemill.engine.step import Inputs, Step
from tracemill.errors import CorruptShard
from tracemill.select.algorithm1 import GRADES, SCORES

Share = Annotated[float, Field(ge=0, le=1)]
Variation = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# The paper gives no threshold of variation (footnote 4: one a category). 0.05 is what a user of its data cut at. With
# four scores of 0 or 1 every number below 0.577 (0.667 with ddof 1) says the same.
VARIATION = 0.05
LUCKY = 0.2
LEAST = 2  # decided samples, of which the paper says nothing: `least_decided` of the step `grade`


class Graded(Step):
    """Settings that say when Algorithm 1 takes a problem for challenging; see docs/design/selection.md."""

    by: str | None = None  # the teacher whose scores decide, and of whose responses some are taken; null: each its own
    mode: str | None = None  # of its modes this one alone
    variation: Variation = VARIATION  # the coefficient of variation that a challenging problem's scores exceed
    variations: dict[str, Variation] = Field(default_factory=dict)  # the same by category
    thresholds: dict[str, Share] = Field(default_factory=dict)  # by category, in place of those of the table `scores`
    at_threshold: Literal["scored", "fails", "passes"] = "scored"  # a score equal to its threshold; scored: as graded
    best: Literal["exceeds", "reaches"] = "exceeds"  # what the highest score must do, or the problem is hopeless
    ddof: Literal[0, 1] = 0  # 0: deviation by equation 6; 1: as the paper's worked examples
    lucky: Literal["keep", "drop"] = "keep"  # passes of a problem that the model all but surely fails
    lucky_below: Share = LUCKY  # such a problem: the pass rate's interval ends below this
    salt: str = "tracemill"  # another one draws other problems and responses

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        """Refuse settings that contradict each other. Raises ValueError naming them."""
        for values in self._by_category().values():
            if len({named(category) for category in values}) < len(values):
                raise ValueError(f"one category is named twice, in two spellings: {', '.join(values)}")
        senseless = 0.0 if self.at_threshold == "passes" else 1.0
        for place, share in self._thresholds().items():
            if share == senseless:
                said = "never" if share else "always"
                raise ValueError(f"{place}: {share:g} is {said} passed with at_threshold {self.at_threshold}")
        return self

    def _thresholds(self) -> dict[str, float | None]:
        """Every threshold that is given in place of those of `scores`, by its key."""
        return {f"thresholds.{category}": share for category, share in self.thresholds.items()}

    def asked(self) -> dict[str, Any]:
        """The one row of the relation `settings`; what a stage lacks is null."""
        columns = ("by", "mode", "at_threshold", "best", "variation", "ddof", "lucky", "lucky_below", "salt")
        return {name: getattr(self, name) for name in columns}

    def limits(self) -> list[dict[str, Any]]:
        """The relation `limits`: one row a category that has settings of its own, by the name that `scores` has."""
        own: dict[str, dict[str, Any]] = {}
        for column, values in self._by_category().items():
            for category, value in values.items():
                own.setdefault(named(category), {"category": named(category)})[column] = value
        return list(own.values())

    def lacks(self, before: Sequence[Step]) -> str | None:
        """Scores, of one step."""
        graders = [one for one in before if "scores" in one.writes]
        if not graders:
            return "selects by scores, which no step before it gives: put a `grade` step there"
        return "finds two `grade` steps before it, which score each response twice: keep one" if graders[1:] else None

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """All of them, and of how many decided samples the grading step asks where that is not its default."""
        least = least_decided(inputs)
        return {**super().settings(inputs), **({} if least == LEAST else {"least_decided": least})}

    def _by_category(self) -> dict[str, dict[str, Any]]:
        return {"threshold": self.thresholds, "variation": self.variations}


def least_decided(inputs: Inputs) -> int:
    """Of how many decided samples at least the grading step before makes a grade: of fewer no stage takes any."""
    settings = (manifest.settings for shard in sorted(inputs.sealed) for manifest in inputs.sealed[shard])
    return next((int(one["least_decided"]) for one in settings if one.get("kind") == "grade"), LEAST)


def scored(inputs: Inputs, shard: int) -> pa.Table:
    """The shard's `scores`, each with whether it may be taken (`living`). Raises CorruptShard for a response twice."""
    scores = inputs.table("scores", list(SCORES), shard)
    if pc.count_distinct(scores["generation_id"]).as_py() < scores.num_rows:
        raise CorruptShard(f"shard {shard}: a response has two rows in `scores`: let one step grade it, not two")
    living = pc.is_in(scores["generation_id"], value_set=pool(inputs, shard))
    return with_mode(scores).append_column("living", living)


def graded(inputs: Inputs, shard: int) -> pa.Table:
    """The shard's `grades`, one row a problem, teacher and mode; of several steps' the last."""
    grades = pl.DataFrame(with_mode(inputs.table("grades", list(GRADES), shard)))
    return grades.unique(["problem_id", "teacher", "mode"], keep="last", maintain_order=True).to_arrow()


def with_mode(table: pa.Table) -> pa.Table:
    """A model with one way of being asked has the mode ''."""
    place = table.schema.get_field_index("mode")
    return table.set_column(place, "mode", pc.fill_null(table["mode"], ""))
