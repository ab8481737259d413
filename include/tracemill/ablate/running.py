"""Runs an ablation from the sets to what it came to, a student after the other; what was killed is gone on with."""

from __future__ import annotations

import time

import polars as pl

from tracemill.ablate.arms import Plan, planned
from tracemill.ablate.outcome import Outcome, outcome
from tracemill.ablate.settings import Ablation
from tracemill.ablate.unit import ITEMS, evaluation_of, run_unit
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.recipe import Recipe
from tracemill.train.telling import spoken


def begun(recipe: Recipe, store: Store, ablation: Ablation, resources: Resources) -> Plan:
    """The plan of an ablation, once it is sure that it can be carried out. Raises RecipeError where it cannot."""
    evaluation_of(ablation)
    return planned(recipe, store, ablation, resources)


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
