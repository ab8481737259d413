"""`tracemill versions`, `refresh` and `recall`: a release's life without Airflow."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tracemill.cli.tables import Table

PIPED_WIDTH = 120  # characters a line where no terminal says how wide it is
out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
Root = Annotated[str, typer.Option(help="Where the shards are: a path or any fsspec URL, such as s3://bucket/prefix.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_RESPONSES_SHOWN = 50


def told(text: str) -> None:
    """Say what takes long while it goes on."""
    out.print(escape(text), soft_wrap=True)


def versions(
    root: Root,
    show: Annotated[int | None, typer.Option(min=1, help="List what this version added and removed, and why.")] = None,
    held_back: Annotated[
        bool,
        typer.Option("--held-back", help="List the problems that a run from scratch would keep instead of others."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the published versions of a release, what one of them changed, or where the order of arrival decided."""
    from tracemill.engine.store import Store
    from tracemill.report.funnel import recipe_of
    from tracemill.versions.held_back import held_back as late
    from tracemill.versions.versions import version, version_numbers

    store = Store.at(root)
    if show is not None:
        head = ("change", "problem", "response", "step", "reason", "detail")
        _listed(store.get_table(version(store, show).changes).to_pylist(), head, as_json)
        return
    if held_back:
        _listed(late(recipe_of(store), store).to_pylist(), ("problem", "shard", "kept instead", "shard"), as_json)
        return
    found = [version(store, number) for number in version_numbers(store)]
    if as_json:
        print(json.dumps([one.model_dump(exclude={"files", "changes"}) for one in found]))
        return
    table = Table("version", "cause", "rows", "added", "removed", "why", "content")
    for one in found:
        why = ", ".join(f"{reason} {count:,}" for reason, count in one.totals.reasons.items())
        numbers = (f"{one.rows:,}", f"{one.totals.added:,}", f"{one.totals.removed:,}")
        table.add_row(one.name, one.cause, *numbers, escape(why), one.content[:12])
    out.print(table if found else "Nothing was published yet: tracemill refresh RECIPE --root URL")


def refresh(
    recipe: Annotated[
        str, typer.Argument(help="A recipe's name (see `tracemill recipes`) or the path of a YAML file.")
    ],
    root: Root,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes a step may start. [default: all CPUs]")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also when no source and no setting changed.")] = False,
    accept_removed: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE=ROWS", help="Let this file's removed rows go from the release. May be repeated."),
    ] = None,
) -> None:
    """Bring a release up to its sources and publish it as a version; ends at once when nothing is new.

    A file that was renamed or moved is known by what it holds. One that lost rows stops the refresh, which says how
    many and what to type if they were removed on purpose; nothing is published before.

    Examples:

        tracemill refresh demo --root var/store/demo/v1

        tracemill refresh mine.yaml --root s3://bucket/mine/v1 --anyway

        tracemill refresh mine.yaml --root s3://bucket/mine/v1 --accept-removed 'data/part-2.jsonl=35'
    """
    from tracemill.engine.resources import Resources
    from tracemill.ingest.plan import removals
    from tracemill.recipe import load_recipe
    from tracemill.versions import refresh

    resources = Resources(accept_removed=removals(accept_removed or ()), tell=told)
    resources = replace(resources, workers=workers) if workers else resources
    refresh.say(out, refresh.refresh(load_recipe(recipe), root, resources, out, anyway))


def recall(
    root: Root,
    path: Annotated[Path, typer.Option(help="The benchmark: JSON Lines or JSON, one question a row.")],
    name: Annotated[str, typer.Option(help="Names the benchmark, and the list revocations/NAME.jsonl.")],
    field: Annotated[str, typer.Option(help="The field with the question.")],
    id_field: Annotated[str | None, typer.Option(help="The field with an item's name. [default: its number]")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Revoke this suspect too: its problem's id, or `all`. Can be given again.")
    ] = None,
) -> None:
    """Take a late benchmark's problems out of what is released, for good; nothing is generated or judged anew."""
    from tracemill.decontaminate.benchmark import Benchmark
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.errors import RecipeError
    from tracemill.report.funnel import recipe_of
    from tracemill.versions import refresh
    from tracemill.versions.suspects import suspected

    try:
        benchmark = Benchmark(name=name, path=str(path.resolve()), field=field, id_field=id_field)
    except ValueError as error:
        raise RecipeError(f"{name!r} cannot name a benchmark: use letters, digits, - and _") from error
    store = Store.at(root)
    gained, published = refresh.recall(recipe_of(store), store, benchmark, Resources(), accept or ())
    out.print(f"revocations/{escape(name)}.jsonl: {gained:,} responses more.")
    if doubtful := suspected(store, name):
        out.print(
            f"{len(doubtful):,} responses only have the form of an item. Look at revocations/{escape(name)}.suspected, "
            "then --accept their problem_id, or --accept all.",
            soft_wrap=True,
        )
    refresh.announce_version(out, published)


def _listed(rows: list[dict[str, Any]], head: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(*head)
    for row in rows[:_RESPONSES_SHOWN]:
        table.add_row(*(escape("" if value is None else str(value)) for value in row.values()))
    out.print(table)
    if len(rows) > _RESPONSES_SHOWN:
        out.print(f"... and {len(rows) - _RESPONSES_SHOWN:,} more: --json prints them all.")


def mount(app: typer.Typer) -> None:
    """Make these commands commands of `app`."""
    for command in (versions, refresh, recall):
        app.command()(command)
