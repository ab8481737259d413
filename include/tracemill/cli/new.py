"""`tracemill new recipe`: from somebody's problems and a model to a recipe that runs, by questions or by options."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tracemill.cli.new_parts import mount
from tracemill.cli.questions import asked_model, confirmed, show, until
from tracemill.cli.versions import out, told
from tracemill.errors import TracemillError
from tracemill.models.prices import Price
from tracemill.models.profiles import Profile

app = typer.Typer(help="Write a new recipe, or a new part of the library.", no_args_is_help=True)
_UNCHECKED = (
    "No column says what is right, so nothing can be verified and answers are kept unverified. If there is one: "
    "--column reference_answer=NAME or --column test_case=NAME"
)


@app.callback()
def _group() -> None:
    """Write a new recipe, or a new part of the library."""


mount(app)


@app.command("recipe")
def recipe(
    problems: Annotated[
        str | None, typer.Option(help="Your problems: JSON Lines, JSON or Parquet, a folder of them, or a Hub id.")
    ] = None,
    api: Annotated[
        str | None, typer.Option(help="The model's API: its address, or a provider such as deepseek or openai.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Instead of --api: the folder of a model to serve here.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name there.")] = None,
    key: Annotated[str | None, typer.Option(help="NAME of the environment variable that holds the API key.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Correct a guess, as prompt=question. Repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="It is no part of the problem; '*': none is. Repeatable.")
    ] = None,
    price: Annotated[
        tuple[float, float] | None, typer.Option(metavar="IN OUT", help="What a million tokens cost, in and out.")
    ] = None,
    limit: Annotated[float | None, typer.Option(min=0.0, help="Stop when so much money is spent.")] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(help="Whose fields an address of your own takes. [default: by its host, else vLLM's]"),
    ] = None,
    thinking: Annotated[
        bool | None, typer.Option("--thinking/--no-thinking", help="Whether the model thinks by itself first.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="math, code, ...: what the problems are. [default: guessed]")
    ] = None,
    license: Annotated[str | None, typer.Option(help="The problems' licence; it goes into every row.")] = None,
    name: Annotated[str | None, typer.Option(help="The recipe's name. [default: from the file's]")] = None,
    to: Annotated[Path | None, typer.Option(help="The recipe's file. [default: NAME.yaml]")] = None,
    run: Annotated[bool, typer.Option("--run", help="Run it at once and publish the release beside it.")] = False,
    rows: Annotated[int | None, typer.Option(min=1, help="With --run: on so many rows only.")] = None,
) -> None:
    """Look at your problems, ask for a model, and write a recipe that runs. What no option says is asked for.

    Examples:

        tracemill new recipe

        tracemill new recipe --problems x.jsonl --api deepseek --model deepseek-reasoner --run

        tracemill new recipe --problems x.jsonl --api http://127.0.0.1:8000 --model qwen3-8b --key "" --run --rows 50
    """
    from tracemill.drafting.guessing import guessed, require_problem, said
    from tracemill.drafting.looking import Look, look
    from tracemill.drafting.reading import require_whole, unreadable
    from tracemill.drafting.writing import Draft, recipe_name, write
    from tracemill.engine.resources import Resources

    def looked() -> tuple[str, Look]:
        given = problems or typer.prompt("Your problems (a file, a folder, or a data set's id on the Hub)")
        return given, look(given, Resources(tell=told))

    asks = problems is None or (weights is None and (api is None or model is None))
    given, found = looked() if problems else until(looked)
    roles = {} if found.known else said(guessed(found), column or (), found)
    show(found, roles)
    if asks and not found.known:
        roles = dict(confirmed(found, roles, ignore or []))
    if not found.known:
        require_problem(roles, found)
        for why in unreadable(found, roles):
            out.print(f"[yellow]{escape(why)}[/yellow]", soft_wrap=True)
    if not asks:
        require_whole(found, roles, ignore or [])
    asked = replace(asked_model(api, weights, model, key), price=_price(price), limit=limit, thinks=thinking)
    called = recipe_name(name or given)
    draft = Draft(called, found, roles, replace(asked, profile=profile), category, license)
    target = to or Path(f"{called}.yaml")
    write(draft, target)
    out.print(f"Wrote {escape(str(target))}: look at it, it is short.", soft_wrap=True)
    if not draft.is_checked:
        out.print(f"[yellow]{_UNCHECKED}[/yellow]", soft_wrap=True)
    if run or (asks and typer.confirm("Run it now?", default=False)):
        _run(target, rows)
        return
    _tell_unready(target)
    run_it = _run_of(target)
    out.print(f"Next: {escape(run_it)} --dry-run, or --rows 50 to try it", soft_wrap=True)


def _tell_unready(path: Path) -> None:
    """Say now what would stop a run: a variable that is not set, a key that is not taken, an address that is silent."""
    from tracemill.engine.resources import Resources
    from tracemill.local.preflight import require_ready
    from tracemill.recipe import load_recipe

    try:
        require_ready(load_recipe(str(path)), None, Resources(tell=told), serves_here=True)
    except TracemillError as error:
        out.print(f"[yellow]Not ready yet: {escape(str(error))}[/yellow]", soft_wrap=True)


def _price(given: tuple[float, float] | None) -> Price | None:
    return Price(input=given[0], output=given[1]) if given else None


def _run(path: Path, rows: int | None) -> None:
    """Run the recipe and lay its release out beside it."""
    from tracemill.cli.run import ran
    from tracemill.engine.resources import Resources
    from tracemill.recipe import load_recipe
    from tracemill.report.publish import publish

    store = ran(load_recipe(str(path)).tried_on(rows), str(path.with_suffix(".store")), Resources(tell=told))
    out.print(f"Release: {escape(str(publish(store, path.with_suffix('.release'))))}", soft_wrap=True)
    if rows:
        out.print(f"The whole: {escape(_run_of(path))}", soft_wrap=True)


def _run_of(path: Path) -> str:
    """What to type to run a recipe on a store beside it."""
    return shlex.join(["tracemill", "run", str(path), "--root", str(path.with_suffix(".store"))])
