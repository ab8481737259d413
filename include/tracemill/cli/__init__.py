"""The `tracemill` command: the same work without Airflow, and the reports. `tracemill COMMAND --help` tells the rest.

Exit codes: 0 done, 1 an error that its one sentence explains, 2 wrong usage, 130 interrupted (run again to continue).
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from tracemill.cli.ablate import mount as mount_ablate
from tracemill.cli.boundary import STATE, Group, err, speak, version
from tracemill.cli.compare import compare
from tracemill.cli.cost import cost
from tracemill.cli.describe import describe
from tracemill.cli.doctor import doctor
from tracemill.cli.evaluation import mount as mount_evaluation
from tracemill.cli.exports import mount as mount_exports
from tracemill.cli.forecast import forecast
from tracemill.cli.migration import migrate
from tracemill.cli.new import app as new
from tracemill.cli.proof import mount as mount_proof
from tracemill.cli.report import mount as mount_report
from tracemill.cli.routes import routes
from tracemill.cli.run import run
from tracemill.cli.sandbox import app as sandbox
from tracemill.cli.select import select
from tracemill.cli.serve import serve
from tracemill.cli.tables import Table
from tracemill.cli.train import mount as mount_train
from tracemill.cli.upkeep import mount as mount_upkeep
from tracemill.cli.versions import mount as mount_refresh

if TYPE_CHECKING:
    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe

PIPED_WIDTH = 120  # characters a line where no terminal says how wide it is
out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
Root = Annotated[str, typer.Option(help="Where the shards are: a path or any fsspec URL, such as s3://bucket/prefix.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
app = typer.Typer(
    cls=Group, help="Builds verified reasoning datasets.", no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what the steps do.")] = False,
    asked: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    speak(sys.stdout)
    speak(sys.stderr)
    STATE["debug"] = debug
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[RichHandler(console=err)], force=True)
    logging.getLogger("tracemill.progress").setLevel(logging.INFO)


@app.command()
def funnel(root: Root, as_json: AsJson = False) -> None:
    """Show where every row went: in, kept, and turned away by reason, step by step."""
    _funnel(_opened(root), as_json)


@app.command()
def why(
    identity: Annotated[str, typer.Argument(metavar="ID", help="A problem (p...), a generation (g...) or an origin.")],
    root: Root,
    as_json: AsJson = False,
) -> None:
    """Tell the life of one row: where it came from, every decision, reason, score and threshold."""
    from tracemill.report.funnel import recipe_of
    from tracemill.report.why import print_life, why

    store = _opened(root)
    life = why(identity, recipe_of(store), store)
    if as_json:
        print(json.dumps(life, indent=1, ensure_ascii=False))
    else:
        print_life(life, out)


@app.command()
def recipes() -> None:
    """List the recipes that come with tracemill."""
    from tracemill.errors import RecipeError
    from tracemill.recipe import load_recipe, recipe_names

    table = Table("recipe", "what it builds", "sources", "steps")
    for name in recipe_names():
        try:
            found = load_recipe(name)
        except RecipeError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/red]", "", "")
            continue
        sources = ", ".join(source.name for source in found.sources)
        table.add_row(name, escape(found.description), sources, ", ".join(found.pipeline()))
    out.print(table)


@app.command()
def agreement(
    root: Root,
    as_json: AsJson = False,
    disagreements: Annotated[bool, typer.Option("--disagreements", help="List every response we differ on.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run the verifiers of exported rlvr sets again, and compare with before.")
    ] = False,
) -> None:
    """Compare our verdicts with those that the sources carry, per source and verifier; or with themselves (--again)."""
    from tracemill.report import agreement as report
    from tracemill.report.funnel import recipe_of

    store = _opened(root)
    recipe = recipe_of(store)
    if again:
        _again(recipe, store, as_json)
    elif as_json and disagreements:
        print(json.dumps([asdict(row) for row in report.disagreements(recipe, store)], ensure_ascii=False))
    elif as_json:
        print(json.dumps(report.agreement(recipe, store), ensure_ascii=False))
    elif disagreements:
        for row in report.disagreements(recipe, store):
            known = "right" if row.known else "wrong"
            ours = f"{row.verifier}: {row.status} ({row.reason})" if row.verifier else "no verdict"
            out.print(f"{row.source} {row.generation_id}: published {known}, {escape(ours)}", soft_wrap=True)
    else:
        table = Table("source", "verifier", "verdicts", "agree", "share", "unverifiable", "low trust")
        for counts in report.by_verifier(recipe, store):
            share = f"{counts.agree / counts.n:.2%}"
            numbers = (f"{counts.n:,}", f"{counts.agree:,}", share, f"{counts.unverifiable:,}", f"{counts.low_trust:,}")
            table.add_row(counts.source, counts.verifier or "none", *numbers)
        out.print(table)


@app.command()
def publish(
    root: Root, to: Annotated[Path, typer.Option(help="A new or empty folder, or an earlier release.")]
) -> None:
    """Lay the release out as a plain folder that `datasets.load_dataset` reads."""
    from tracemill.report.publish import publish

    out.print(f"Release: {escape(str(publish(_opened(root), to)))}", soft_wrap=True)


def _again(recipe: Recipe, store: Store, as_json: bool) -> None:
    from tracemill.engine.resources import Resources
    from tracemill.report.again import judged_again

    found = judged_again(recipe, store, Resources())
    if as_json:
        print(json.dumps(asdict(found)))
        return
    for identity, verifier, was, now in found.different:
        out.print(f"{identity}: {escape(verifier)} said {was} and says {now}", soft_wrap=True)
    out.print(f"{found.judged:,} verdicts on rlvr problems were made again; {len(found.different):,} differ.")


def _opened(root: str) -> Store:
    from tracemill.engine.store import Store

    return Store.at(root)


def _funnel(store: Store, as_json: bool) -> None:
    from tracemill.report.funnel import funnel, print_funnel, recipe_of

    if as_json:
        print(funnel(recipe_of(store), store).model_dump_json(indent=1))
    else:
        print_funnel(store, out)


app.command("run")(run)
app.command("describe")(describe)
app.command("doctor")(doctor)
app.add_typer(new, name="new")
app.add_typer(sandbox, name="sandbox")
app.command("compare")(compare)
app.command("forecast")(forecast)
app.command("routes")(routes)
app.command("cost")(cost)
app.command("select")(select)
app.command("serve")(serve)
app.command("migrate")(migrate)
mount_refresh(app)
mount_exports(app)
mount_proof(app)
mount_evaluation(app)
mount_train(app)
mount_ablate(app)
mount_report(app)
mount_upkeep(app)
