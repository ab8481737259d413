"""Makes one student of an arm and asks it: its rows drawn, released, proved and trained on, then an evaluation.

Every part is sealed as any step is, so that what was killed goes on where it was: a training from its checkpoint, an
evaluation with the answers that it has. Students that the same steps made by the same seed are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tracemill.ablate.arms import FOLDER, Unit, arm_variant, overlay
from tracemill.ablate.overlay import Overlay
from tracemill.ablate.replaying import Drawn
from tracemill.ablate.settings import Ablation
from tracemill.ablate.stages import Training, training
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shards_of
from tracemill.engine.step import Step
from tracemill.engine.store import Manifest, Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.evaluate.step import Evaluate
from tracemill.local.hosting import hosted
from tracemill.local.pending import is_sealed
from tracemill.models.model import Model
from tracemill.recipe import Recipe, load_recipe
from tracemill.recipe_places import with_rows
from tracemill.train.student import lay_student

STUDENT = "student"  # what the model is called that the evaluation asks
DRAWN = "drawn"
ITEMS = {
    "arm": pl.String,
    "seed": pl.Int64,
    "benchmark": pl.String,
    "title": pl.String,
    "problem_id": pl.String,
    "decided": pl.Int64,
    "passed": pl.Int64,
}


def evaluation_of(ablation: Ablation) -> tuple[Recipe, str]:
    """The recipe that evaluates, and the name of the model in the student's place: that which it asks last.

    Raises RecipeError where it asks none, or nothing evaluates.
    """
    recipe = load_recipe(with_rows(ablation.evaluation, ablation.rows))
    asking = [step.teacher.model.name for step in recipe.steps.values() if isinstance(step, Distill)]
    if not asking or not any(isinstance(step, Evaluate) for step in recipe.steps.values()):
        raise RecipeError(
            f"recipe {recipe.name!r} evaluates no student: it needs a step of kind distill that asks the student and "
            "one of kind evaluate, as `evaluate_demo` has them"
        )
    return recipe, asking[-1]


def run_unit(recipe: Recipe, store: Store, ablation: Ablation, unit: Unit, resources: Resources) -> pl.DataFrame:
    """What the unit's student makes of each item: the columns of ITEMS. What is sealed is not done again.

    Raises what the steps raise that train and evaluate.
    """
    student = _student(recipe, store, ablation, unit, resources)
    rows = _evaluated(student, store, ablation, resources)
    told = rows.select(pl.lit(unit.arm).alias("arm"), pl.lit(unit.seed).cast(pl.Int64).alias("seed"), *list(ITEMS)[2:])
    return told.cast(ITEMS)  # type: ignore[arg-type]


class _Student(NamedTuple):
    """A sealed student and the store that holds it."""

    store: Store
    manifest: Manifest


def _student(recipe: Recipe, store: Store, ablation: Ablation, unit: Unit, resources: Resources) -> _Student:
    arm = arm_variant(recipe, ablation, unit.arm)
    own = training(recipe)
    made = arm.followed_by(**{DRAWN: Drawn(salt=str(unit.seed), upto=unit.upto), **_trained(own, unit.seed)})
    place = Overlay.below(overlay(store, unit.arm), f"seed-{unit.seed}")
    for name in made.again:
        for shard in shards_of(made.step(name), place):
            sealed = run_shard(made, place, name, shard, resources).manifest
    return _Student(place, sealed)


def _trained(own: Training, seed: int) -> Mapping[str, Step]:
    """Release, proof and training, as the recipe has them but for what a set without a stage cannot keep to."""
    release = own.release[1].model_copy(update={"layouts": (), "samples": {}, "apart": {}, "proof": None})
    prove = own.prove[1].model_copy(update={"at_most": {"any": "100%"}})
    schedule = own.train[1].schedule.model_copy(update={"seed": seed})
    too_long = "cut" if own.train[1].too_long == "cut" else "leave_out"
    train = own.train[1].model_copy(update={"schedule": schedule, "folder": None, "too_long": too_long})
    return {own.release[0]: release, own.prove[0]: prove, own.train[0]: train}


def _evaluated(student: _Student, store: Store, ablation: Ablation, resources: Resources) -> pl.DataFrame:
    identity = student.manifest.fingerprint
    folder = resources.cache / "ablation" / identity
    recipe = _asking(ablation, folder)
    Store(store.fs, f"{store.root}/{FOLDER}/students").opened(create=True)
    place = Store(store.fs, f"{store.root}/{FOLDER}/students/{identity}").opened(create=True)
    if not _is_done(recipe, place, resources):
        lay_student(student.store, student.manifest, folder)
    last = None
    for name, step in recipe.pipeline().items():
        shards = shards_of(step, place)
        with hosted(recipe, place, name, shards, resources):
            for shard in shards:
                sealed = run_shard(recipe, place, name, shard, resources).manifest
        last = sealed if isinstance(step, Evaluate) else last
    assert last is not None
    return pl.DataFrame(place.get_table(last.tables["evaluation_items"]))


def _is_done(recipe: Recipe, store: Store, resources: Resources) -> bool:
    """Whether all is sealed, so that no weights are needed here."""
    machine = recipe.located(resources)
    try:
        return all(
            is_sealed(recipe, store, name, shard, machine)
            for name, step in recipe.pipeline().items()
            for shard in shards_of(step, store)
        )
    except (MissingInput, RecipeError):
        return False


def _asking(ablation: Ablation, weights: Path) -> Recipe:
    """The evaluation of the model in a folder, in the place of the student; other models are not asked."""
    recipe, student = evaluation_of(ablation)
    steps: dict[str, Step] = {}
    for name, step in recipe.steps.items():
        if not isinstance(step, Distill):
            steps[name] = step
        elif step.teacher.model.name == student:
            known = step.teacher.model
            model = Model(name=STUDENT, weights=str(weights.resolve()), engine=known.engine, serve=known.serve)
            teacher = step.teacher.model_copy(update={"model": model})
            steps[name] = step.model_copy(update={"teacher": teacher})
    return recipe.model_copy(update={"steps": steps})
