"""What an ablation asks: which stages, by which evaluation, with how many students."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tracemill.ablate.stages import Stage, present
from tracemill.errors import RecipeError
from tracemill.recipe import Recipe
from tracemill.text.spelling import explained


class Ablation(BaseModel):
    """What is asked. `stages`: those that are ticked off, one at a time; none named: all that the recipe has.

    `evaluation`: the recipe by which students are evaluated; in the place of the model that its last `distill` step
    asks. `rows`: so many of its items, by hash; none: all. `tokens`: what every arm is trained on, at most as many as
    the smallest has; none: that. `interval`: how sure the intervals are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    evaluation: str
    stages: tuple[Stage, ...] = ()
    seeds: Annotated[int, Field(ge=5)] = 5
    tokens: Annotated[int, Field(ge=1)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None
    interval: Annotated[float, Field(gt=0, lt=1)] = 0.95

    @field_validator("stages")
    @classmethod
    def _names_each_once(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if len(set(stages)) < len(stages):
            raise ValueError(f"stages name one twice: {', '.join(stages)}")
        return stages

    def ticked(self, recipe: Recipe) -> tuple[Stage, ...]:
        """The stages in question. Raises RecipeError where the recipe has none of them."""
        found = self.stages or present(recipe)
        if not found:
            raise RecipeError(f"recipe {recipe.name!r} turns nothing away before its release: there is no stage to ask")
        return found


def settings_of(given: Mapping[str, Any]) -> Ablation:
    """The settings that people gave. Raises RecipeError that lists what is wrong with them."""
    try:
        return Ablation.model_validate(dict(given))
    except ValidationError as error:
        raise RecipeError("; ".join(explained(error, Ablation))) from None
