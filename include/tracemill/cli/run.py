"""`tracemill run`: a recipe from start to end, on a few of its rows, or only what it would take."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.versions import Root, out, told
from tracemill.engine.trial import trial_root
from tracemill.errors import StoreError, TracemillError

if TYPE_CHECKING:
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe


def run(
    recipe: Annotated[
        str, typer.Argument(help="A recipe's name (see `tracemill recipes`), the path of a YAML file, or its URL.")
    ],
    root: Root,
    step: Annotated[str | None, typer.Option(help="Only this step; the steps before it must be sealed.")] = None,
    shard: Annotated[int | None, typer.Option(min=0, help="Only this shard of that step.")] = None,
    until: Annotated[str | None, typer.Option(help="Only the steps up to this one, such as a pilot.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes a step may start. [default: all CPUs]")] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Try the recipe on so many rows, chosen by hash, in ROOT/trials/rows-N.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say rows, shards, requests, hours and money; make nothing.")
    ] = False,
) -> None:
    """Run a recipe, or one step or shard of it. What is sealed for the same settings and inputs is not run again.

    Answers that a trial (--rows) paid for are found by the whole run on the same root, which pays only for the others.
    After a trial --dry-run knows what the recipe's answers are like; before one it says what it assumes.

    Examples:

        tracemill run demo --root var/store/demo/v1

        tracemill run mine.yaml --root s3://bucket/mine/v1 --rows 50

        tracemill run mine.yaml --root s3://bucket/mine/v1 --dry-run

        tracemill run mine.yaml --root s3://bucket/mine/v1 --until pilot
    """
    from tracemill.engine.resources import Resources
    from tracemill.recipe import load_recipe
    from tracemill.recipe_places import with_rows

    if shard is not None and step is None:
        raise typer.BadParameter("--shard needs --step")
    if until is not None and step is not None:
        raise typer.BadParameter("--step is one step, --until all up to one: give one of them")
    loaded = load_recipe(with_rows(recipe, rows) if rows else recipe)
    machine = Resources(workers=workers, tell=told) if workers else Resources(tell=told)
    if dry_run:
        estimate(loaded, root, machine)
        return
    store = ran(loaded, root, machine, step, shard, until)
    if step is None and until is None:
        place = trial_root(root, loaded.trial) if "://" in root else store.root
        publish = shlex.join(["tracemill", "publish", "--root", place, "--to", "FOLDER"])
        whole = ", or the whole: " + shlex.join(["tracemill", "run", recipe, "--root", root]) if loaded.trial else ""
        out.print(f"Next: {escape(publish + whole)}", soft_wrap=True)


def ran(
    recipe: Recipe,
    root: str,
    machine: Resources,
    step: str | None = None,
    shard: int | None = None,
    until: str | None = None,
) -> Store:
    """Run it and print the funnel; returns its store. What is wrong with a model or a key is said before any work."""
    from tracemill.local.preflight import require_ready
    from tracemill.local.run import Run
    from tracemill.report.funnel import print_funnel
    from tracemill.train.student import lay_out

    steps = [step] if step else None
    if until:
        recipe.step(until)
        steps = [*(name for name, _ in recipe.before(until)), until]
    work = Run(recipe, trial_root(root, recipe.trial), machine, out, steps=steps)
    if step is None:
        require_ready(recipe, work.store, work.resources, serves_here=True)
    work.go(shard)
    if not recipe.trial:  # a trial's student does not take the place of the whole one
        for name in work.names:
            if folder := lay_out(recipe.step(name), name, work.store, recipe.located(machine)):
                out.print(f"Student: {escape(str(folder))}", soft_wrap=True)
    if step is None:
        print_funnel(work.store, out)
    return work.store


def estimate(recipe: Recipe, root: str, machine: Resources) -> None:
    """Print what the whole would take, and what is not ready for it."""
    from tracemill.engine.store import Store
    from tracemill.local.estimate import estimated
    from tracemill.local.preflight import require_ready

    try:
        whole = Store.at(root)
    except StoreError:
        whole = None  # nothing was run here yet
    for line in estimated(recipe, whole, machine).lines():
        out.print(escape(line), soft_wrap=True)
    try:
        require_ready(recipe, None, machine, serves_here=True)
    except TracemillError as error:
        out.print(f"[yellow]Not ready yet: {escape(str(error))}[/yellow]", soft_wrap=True)
