"""Finds what the pilots of a store sealed, and says whether it is what the recipe of today would try and ask."""

from __future__ import annotations

from tracemill.distill.pilot import ASKED, Pilot
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, Store
from tracemill.errors import RecipeError
from tracemill.models.model import Model
from tracemill.recipe import Recipe
from tracemill.report.step_work import sealed_shards


def sealed_pilot(store: Store, name: str) -> Manifest | None:
    """What a pilot that forecasts has sealed; None before it has run."""
    sealed = store.manifest(name, 0)
    return sealed if sealed and "piloted" in sealed.tables else None


def to_run(recipe: Recipe, store: Store, name: str) -> str:
    """The command that has a pilot run, and nothing behind it."""
    return f"tracemill run {recipe.name} --root {store.root} --until {name}"


def is_todays(recipe: Recipe, store: Store, name: str, sealed: Manifest) -> bool:
    """Whether a pilot tried the model that the recipe names now, with the settings that it has now.

    Where that cannot be told it is taken to have: a manifest may say no settings, and weights may lie elsewhere.
    """
    pilot = recipe.steps[name]
    assert isinstance(pilot, Pilot)
    asked = sealed.made_with.get(ASKED, {}).get(f"model {pilot.teacher.model.name}")
    return _is_so_set(pilot, store, sealed) and asked in (None, _identity(recipe, store, pilot.teacher.model) or asked)


def asked_today(recipe: Recipe, store: Store, stage: str) -> list[Manifest]:
    """The shards of a distil step that are sealed with the model and the settings that it has now."""
    step = recipe.steps[stage]
    assert isinstance(step, Distill)
    model = step.teacher.model
    now = _identity(recipe, store, model)

    def is_now(sealed: Manifest) -> bool:
        asked = sealed.made_with.get(f"model {model.name}", {}).get("identity")
        return _is_so_set(step, store, sealed) and asked in (None, now or asked)

    return [sealed for sealed in sealed_shards(store, stage) if is_now(sealed)]


def _is_so_set(step: Pilot | Distill, store: Store, sealed: Manifest) -> bool:
    return not sealed.settings or sealed.settings == step.settings(Inputs(store, 0, {}, (), 0))


def _identity(recipe: Recipe, store: Store, model: Model) -> str | None:
    """Which model that is; None for a folder that only its files tell, which need not be read for a report."""
    if model.is_folder and not model.revision:
        return None
    try:
        return model.identity(recipe.located(Resources(environment={})), store)
    except RecipeError:
        return None
