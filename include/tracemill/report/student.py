"""Reads what became of a student: where its rows came from, how it learned, and what it scores beside its base.

Raises where something of that is not there, or does not belong together: an evaluation of another student, or of an
earlier one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.store import Manifest, Store
from tracemill.errors import MissingInput
from tracemill.grade.step import Grade
from tracemill.models.model import Model
from tracemill.models.weights import folder_digest
from tracemill.recipe import Recipe
from tracemill.report.evaluation import Evaluation, evaluation
from tracemill.report.funnel import Funnel, funnel, recipe_of
from tracemill.report.step_work import StepWork, sealed_shards, step_work
from tracemill.train.student import MARK
from tracemill.train.train import Train

_TURNED = {"teacher": "other", "mode": "other_mode", "other": "teacher", "other_mode": "mode"}


@dataclass(frozen=True)
class StudentReport:
    """One training and its evaluation. `grades`: problems by teacher, mode and grade. `curve`: the steps of the
    training. `gains`: the student's score less its base's, a row a benchmark, as `evaluation_differences` has them.
    """

    recipe: str
    base: str
    student: str
    funnel: Funnel
    grades: pl.DataFrame
    trained: Manifest
    curve: pl.DataFrame
    scores: Evaluation
    gains: pl.DataFrame
    costs: list[StepWork]
    store: Store

    def as_dict(self) -> dict[str, Any]:
        """Gains, training and costs as JSON-like data."""
        return {
            "recipe": self.recipe,
            "base": self.base,
            "student": self.student,
            "gains": self.gains.to_dicts(),
            "training": self.trained.made_with,
            "costs": [vars(cost) for cost in self.costs],
        }


def student_report(built: Store, evaluated: Store) -> StudentReport:
    """Put a store whose recipe trains and one whose recipe evaluates beside each other.

    Raises MissingInput where one was not run to its end, or the evaluation is not of the student and its base.
    """
    recipe = recipe_of(built)
    first, (name, last) = _trainings(recipe)
    trained = built.manifest(name, 0)
    if trained is None:
        raise MissingInput(f"step {name!r} of recipe {recipe.name!r} was not run: run it first")
    asking = recipe_of(evaluated)
    scores = evaluation(asking, evaluated)
    base, student = _asked(recipe, asking, first, last, trained)
    for step in (base, student):
        _require_current(asking, evaluated, step)
    names = [_model(asking, step).name for step in (base, student)]
    return StudentReport(
        recipe=recipe.name,
        base=names[0],
        student=names[1],
        funnel=funnel(recipe, built),
        grades=_grades(recipe, built),
        trained=trained,
        curve=pl.DataFrame(built.get_table(trained.tables["curves"])),
        scores=scores,
        gains=_gains(scores.differences, *names),
        costs=[*step_work(recipe, built), *step_work(asking, evaluated)],
        store=built,
    )


def _trainings(recipe: Recipe) -> tuple[Train, tuple[str, Train]]:
    """The training that began with weights, and the last one with its name."""
    found = {name: step for name, step in recipe.steps.items() if isinstance(step, Train)}
    if not found:
        raise MissingInput(f"recipe {recipe.name!r} trains no student: add steps of the kinds prove and train")
    *_, last = found.items()
    begun = [step for step in found.values() if step.base is not None]
    if last[1].folder is None:
        raise MissingInput(f"step {last[0]!r} names no `folder`: no evaluation can ask its student")
    return begun[-1], last


def _asked(recipe: Recipe, asking: Recipe, first: Train, last: Train, trained: Manifest) -> tuple[str, str]:
    """The steps of an evaluation that ask the base and the student."""
    assert first.base is not None
    assert last.folder is not None
    here = recipe.located(Resources())
    folder = here.path(last.folder).resolve()
    places = {_place(first.base, here): "its base", str(folder): "the student"}
    steps: dict[str, str] = {}
    for name, step in asking.steps.items():
        if isinstance(step, Distill):
            steps.setdefault(places.get(_place(step.teacher.model, asking.located(Resources())), ""), name)
    for place, who in places.items():
        if who not in steps:
            raise MissingInput(f"recipe {asking.name!r} asks nobody with the weights {place}, which are {who}")
    if _mark(folder) != trained.fingerprint:
        raise MissingInput(f"{folder} holds another student than recipe {recipe.name!r} trained last: train it again")
    return steps["its base"], steps["the student"]


def _place(model: Model, machine: Resources) -> str:
    return str(machine.path(model.weights or "").resolve()) if model.is_folder else f"{model.weights}@{model.revision}"


def _mark(folder: Path) -> str | None:
    path = folder / MARK
    found: str | None = json.loads(path.read_text(encoding="utf-8")).get("identity") if path.is_file() else None
    return found


def _require_current(recipe: Recipe, store: Store, name: str) -> None:
    """Raise MissingInput where a model was asked whose weights are now others: manifests say which ones answered."""
    model = _model(recipe, name)
    if not model.is_folder or model.revision:
        return
    known = f"model {model.name}"
    asked = {one.made_with[known]["identity"] for one in sealed_shards(store, name) if known in one.made_with}
    digest = folder_digest(recipe.located(Resources()).path(model.weights or ""))
    if not all(identity.startswith(digest) for identity in asked):
        raise MissingInput(f"step {name!r} of recipe {recipe.name!r} asked other weights than there are: run it again")


def _model(recipe: Recipe, name: str) -> Model:
    step = recipe.steps[name]
    assert isinstance(step, Distill)
    return step.teacher.model


def _gains(differences: pl.DataFrame, base: str, student: str) -> pl.DataFrame:
    """The differences between these two, the student's score first."""
    same = differences.filter(teacher=student, other=base)
    other = differences.filter(teacher=base, other=student).rename(_TURNED).select(differences.columns)
    turned = other.with_columns(-pl.col("difference"), low=-pl.col("high"), high=-pl.col("low"))
    found = pl.concat([same, turned])
    if found.is_empty():
        raise MissingInput(f"{base} and {student} were asked about no benchmark that they share")
    return found


def _grades(recipe: Recipe, store: Store) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"teacher": pl.String, "mode": pl.String, "grade": pl.String, "problems": pl.UInt32})]
    for name, step in recipe.steps.items():
        for manifest in sealed_shards(store, name) if isinstance(step, Grade) else ():
            rows = pl.DataFrame(store.get_table(manifest.tables["grades"], ["teacher", "mode", "grade"]))
            parts.append(rows.group_by("teacher", "mode", "grade").agg(problems=pl.len()))
    return pl.concat(parts).group_by("teacher", "mode", "grade").agg(pl.col("problems").sum()).sort(pl.all())
