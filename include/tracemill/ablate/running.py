"""Runs an ablation from the sets to what it came to, a student after the other; what was killed is gone on with."""

from __future__ import annotations

import time
from typing import Any

import polars as pl

from tracemill.ablate.arms import Plan, planned
from tracemill.ablate.outcome import Outcome, outcome
from tracemill.ablate.settings import Ablation
from tracemill.ablate.stages import training
from tracemill.ablate.unit import ITEMS, evaluation_of, run_unit
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.model import without_serving
from tracemill.recipe import Recipe, stored_recipe
from tracemill.train.telling import spoken


def begun(recipe: Recipe, store: Store, ablation: Ablation, resources: Resources) -> Plan:
    """The plan of an ablation, once it is sure that it can be carried out. Raises RecipeError where it cannot."""
    evaluation_of(ablation)
    _require_as_it_ran(recipe, store)
    return planned(recipe, store, ablation, resources)


def _require_as_it_ran(recipe: Recipe, store: Store) -> None:
    """Raise RecipeError where the store holds what another recipe made, or this one with other settings.

    What lies before a stage is taken from there as it is; what a changed setting did would pass for what the stage did.
    """
    try:
        ran = stored_recipe(store)
    except FileNotFoundError:
        return  # nothing ran here, which the plan says
    if ran.name != recipe.name:
        raise RecipeError(f"{store.root} holds recipe {ran.name!r}, not {recipe.name!r}: give the root of its run")
    now, then = _settings(recipe), _settings(ran)
    if changed := [name for name in {**now, **then} if now.get(name) != then.get(name)]:
        raise RecipeError(
            f"recipe {recipe.name!r} changed since it ran on {store.root} ({', '.join(changed)}): run it again first, "
            "so that all sets are made by the same settings"
        )


def _settings(recipe: Recipe) -> dict[str, Any]:
    """The settings of each step before the release that is trained on, but where and how models are served."""
    before = recipe.before(training(recipe).release[0])
    return {name: without_serving(step.model_dump(mode="json")) for name, step in before}


def carried_out(recipe: Recipe, store: Store, ablation: Ablation, resources: Resources) -> Outcome:
    """Make and ask every student of the plan. Raises what making or asking one raises; run again, it goes on."""
    plan = begun(recipe, store, ablation, resources)
    began = time.monotonic()
    parts = [pl.DataFrame(schema=ITEMS)]
    for done, unit in enumerate(plan.units):
        left = f", about {spoken((time.monotonic() - began) / done * (len(plan.units) - done))} left" if done else ""
        resources.tell(f"{unit.arm}, seed {unit.seed}: student {done + 1} of {len(plan.units)}{left}")
        parts.append(run_unit(recipe, store, ablation, unit, resources))
    return outcome(recipe.name, ablation, plan, pl.concat(parts))
