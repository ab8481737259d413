"""Says whether a run may ask anything just now, or waits for a higher limit of money."""

from __future__ import annotations

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import LimitSpent, RecipeError
from tracemill.local.demand import served_models
from tracemill.models.budget import Budget, counted, limit_said, say_limit
from tracemill.models.step import asked_models
from tracemill.recipe import Recipe


def require_money(recipe: Recipe, store: ObjectStore) -> None:
    """Raise LimitSpent when the run's cost_limit is reached: then no server is started, and nobody waits for one."""
    budget = Budget(store, recipe.located(Resources(environment={})).cost)
    budget.settle()
    budget.check()


def is_spent(recipe: Recipe, store: ObjectStore) -> bool:
    """Whether the run's cost_limit is reached."""
    try:
        require_money(recipe, store)
    except LimitSpent:
        return True
    return False


def limit_now(recipe: Recipe, store: ObjectStore) -> float | None:
    """The run's limit: what was said for its store, else the recipe's."""
    said = limit_said(store)
    return recipe.cost_limit if said is None else said


def is_raised(recipe: Recipe, store: ObjectStore, limit: float, model: str = "") -> bool:
    """Whether who was stopped by this limit (of one model, or the run's) may go on: it is higher now, or gone."""
    if model:
        asked = served_models(recipe).get(model)
        now = asked.model.api.limit if asked and asked.model.api else None
    else:
        now = limit_now(recipe, store)
    return now is None or (now > limit and (bool(model) or not is_spent(recipe, store)))


def raise_limit(recipe: Recipe, store: ObjectStore, limit: float) -> None:
    """Let this limit hold for the store, before the recipe's. Raises RecipeError where it cannot be counted."""
    if not 0 < limit < float("inf"):
        why = "is none" if limit > 0 else "lets nothing be asked"
        raise RecipeError(f"a cost_limit of {limit:g} {why}: give a number above zero")
    try:
        counted(asked_models(recipe.pipeline().values()).values(), limit)
    except ValueError as error:
        raise RecipeError(f"recipe {recipe.name!r}: {error}") from error
    say_limit(store, limit)
