"""Which models a recipe asks, and whether the stages that ask them are done: what decides how long a server lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tracemill.engine.pipeline import PLAN, Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.local.pending import is_sealed
from tracemill.models.endpoints import fixed_endpoints
from tracemill.models.lease import answering
from tracemill.models.model import Model
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe


@dataclass(frozen=True)
class ServedModel:
    """A model and the stages of the recipe that ask it, in order."""

    model: Model
    stages: tuple[str, ...]


def served_models(recipe: Recipe) -> dict[str, ServedModel]:
    """The models of a recipe by name, in the order in which they are first asked.

    Raises RecipeError when one name stands for two models: leases and samples would be mixed up.
    """
    found: dict[str, ServedModel] = {}
    for stage, step in recipe.pipeline().items():
        for model in step.served() if isinstance(step, AskingStep) else ():
            known = found.get(model.name)
            if known and known.model != model:
                raise RecipeError(
                    f"recipe {recipe.name!r}: {known.stages[0]!r} and {stage!r} name two models {model.name!r}"
                )
            found[model.name] = ServedModel(model, (*(known.stages if known else ()), stage))
    return found


def asked_by(recipe: Recipe, names: Sequence[str]) -> tuple[str, ...]:
    """The stages that ask any of these models, in the recipe's order."""
    known = served_models(recipe)
    asking = {stage for name in names for stage in known[name].stages}
    return tuple(stage for stage in recipe.pipeline() if stage in asking)


def unserved(
    recipe: Pipeline, store: Store, stage: str, shards: Sequence[int], resources: Resources
) -> tuple[Model, ...]:
    """The models that a stage needs for these shards, that the run is to serve, and that answer nowhere just now."""
    step = recipe.step(stage)
    resources = recipe.located(resources)
    models = [model for model in (step.served() if isinstance(step, AskingStep) else ()) if model.replicas]
    missing = tuple(
        model
        for model in models
        if not fixed_endpoints(model.name, resources.environment)
        and not answering(store, model.name, model.identity(resources, store))
    )
    return missing if missing and not all(is_sealed(recipe, store, stage, n, resources) for n in shards) else ()


def ahead(recipe: Recipe, stage: str, reach: int) -> dict[str, tuple[str, ...]]:
    """The models that are to be served for the `reach` stages after this one, with all stages that ask them."""
    names = list(recipe.pipeline())
    near = set(names[names.index(stage) + 1 :][:reach])
    served = served_models(recipe).values() if near else ()
    return {s.model.name: s.stages for s in served if s.model.replicas and near.intersection(s.stages)}


@dataclass
class Demand:
    """Whether any shard still needs a model. Remembers what it saw sealed, so that looking often is cheap.

    A shard sealed from inputs that this run is about to replace still needs it: earlier stages are looked at, too.
    """

    recipe: Recipe
    store: Store
    resources: Resources
    stages: Sequence[str]
    _sealed: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.resources = self.recipe.located(self.resources)

    def is_over(self) -> bool:
        """Whether every shard of every stage is sealed for today's settings and inputs."""
        try:
            shards = shard_count(self.store)
            return all(
                self._is_sealed(stage, shard, shards)
                for stage in self.stages
                for shard in range(shards if self.recipe.step(stage).shape == "map" else 1)
            )
        except MissingInput:
            return False

    def _is_sealed(self, stage: str, shard: int, shards: int) -> bool:
        if (stage, shard) in self._sealed:
            return True
        own = [shard] if self.recipe.step(stage).shape == "map" else list(range(shards))
        for earlier, step in self.recipe.before(stage):
            needed = own if step.shape == "map" else [0]
            if earlier != PLAN and not all(self._is_sealed(earlier, n, shards) for n in needed):
                return False
        if not is_sealed(self.recipe, self.store, stage, shard, self.resources):
            return False
        self._sealed.add((stage, shard))
        return True
