"""`tracemill train`: a recipe's student from its sealed release, without Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.versions import Root, out, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, the path of a YAML file, or its URL.")],
    root: Root,
    to: Annotated[Path | None, typer.Option(help="Lay the last student out in this folder, too.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that prove rows. [default: all CPUs]")] = None,
) -> None:
    """Lay the release out, prove its rows and train the recipe's students on it: its steps `prove` and `train`.

    The release must be sealed (see `tracemill run`). A training that was interrupted or killed goes on from its last
    checkpoint, with the same rows in the same order. What is sealed is not trained again.

    Examples:

        tracemill train student_demo --root var/store/student_demo/v1 --to var/students/demo
    """
    from tracemill.engine.resources import Resources
    from tracemill.local.run import Run
    from tracemill.recipe import load_recipe
    from tracemill.train.student import require_place

    loaded = load_recipe(recipe)
    names = _steps(loaded)
    if to is not None:
        require_place(to)
    machine = Resources(workers=workers, tell=told) if workers else Resources(tell=told)
    work = Run(loaded, root, machine, out, steps=names)
    loaded.remember(work.store)
    work.go()
    for folder in _laid_out(loaded, work.store, names, machine, to):
        out.print(f"Student: {escape(str(folder))}", soft_wrap=True)


def _steps(recipe: Recipe) -> list[str]:
    from tracemill.errors import RecipeError
    from tracemill.train.prove import Prove
    from tracemill.train.train import Train

    found = [name for name, step in recipe.steps.items() if isinstance(step, Prove | Train)]
    if not any(isinstance(recipe.steps[name], Train) for name in found):
        raise RecipeError(f"recipe {recipe.name!r} trains no student: add steps of the kinds prove and train")
    return found


def _laid_out(recipe: Recipe, store: Store, names: list[str], machine: Resources, to: Path | None) -> Iterator[Path]:
    """The folders that hold the students: those that their steps name, and `to` for the last."""
    from tracemill.train.student import lay_out, lay_student

    for name in names:
        if folder := lay_out(recipe.step(name), name, store, recipe.located(machine)):
            yield folder
    student = store.manifest(names[-1], 0)
    if to is not None and student is not None:
        lay_student(store, student, to)
        yield to


def mount(app: typer.Typer) -> None:
    """Make this command a command of `app`."""
    app.command()(train)
