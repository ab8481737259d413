"""`tracemill export`: a release in the layout that a trainer reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from tracemill.cli.progress import counted
from tracemill.cli.versions import out

if TYPE_CHECKING:
    from tracemill.release.trainers.opened import Opened

err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)
Release = Annotated[
    str, typer.Argument(metavar="RELEASE", help="A published folder, or a store: its last version, else its release.")
]
Numbered = Annotated[int | None, typer.Option("--version", min=1, help="This version of the store's release.")]


def opened(release: str, number: int | None) -> Opened:
    """A published folder, or what a store holds: the version of that number, else the last one, else its release."""
    from tracemill.engine.store import MARKER, Store
    from tracemill.errors import MissingInput
    from tracemill.release.trainers.folder import MARK
    from tracemill.release.trainers.opened import release_files, release_folder
    from tracemill.release.writer import METADATA_FILE
    from tracemill.report.funnel import recipe_of
    from tracemill.report.publish import released
    from tracemill.versions.versions import latest, version

    folder = Path(release)
    if (folder / MARK).is_file():
        raise MissingInput(f"{release} is an export: name the release that it was made from")
    if number is None and (folder / METADATA_FILE).is_file():
        return release_folder(folder)
    if folder.is_dir() and not (folder / MARKER).is_file():
        raise MissingInput(f"{release} is no published release ({METADATA_FILE} is missing), nor a store ({MARKER} is)")
    store = Store.at(release)
    found = version(store, number) if number is not None else latest(store)
    return release_files(store, found.files if found else released(recipe_of(store), store).files)


def export(
    release: Release,
    layout: Annotated[
        str,
        typer.Option(
            help="am, prompt_completion, prompt_completion_reasoning, prompt_completion_thinking, messages, gptoss or "
            "am_thinking."
        ),
    ],
    to: Annotated[Path, typer.Option(help="A new or empty folder, or an earlier export.")],
    system: Annotated[
        str | None,
        typer.Option(help="A system prompt for every row; `am` is the one of the paper's training. [default: none]"),
    ] = None,
    rows_per_file: Annotated[int, typer.Option(min=1, help="Most rows of a file.")] = 50_000,
    by_teacher: Annotated[bool, typer.Option("--by-teacher", help="A folder for each teacher.")] = False,
    number: Numbered = None,
) -> None:
    """Write a release in the layout that a trainer reads, typed, with a card; `datasets` loads the folder as it lies.

    Examples:

        tracemill export var/releases/demo/v1 --layout prompt_completion --to var/exports/demo

        tracemill export s3://bucket/mine/v1 --version 2 --layout messages --system am --to exports/mine

        tracemill export var/releases/compare_demo/v1 --layout am_thinking --by-teacher --to var/exports/teachers
    """
    from tracemill.errors import RecipeError
    from tracemill.release.trainers.folder import Wanted
    from tracemill.release.trainers.folder import export as run
    from tracemill.release.trainers.layouts import layout_named

    try:
        by: Literal["teacher"] | None = "teacher" if by_teacher else None
        wanted = Wanted(layout=layout_named(layout), system=system or None, rows_per_file=rows_per_file, by=by)
    except ValueError as error:
        raise RecipeError(
            "layout `am` is as published, without system prompt: take another, or leave it out"
        ) from error
    found = opened(release, number)
    with counted("rows", found.count(), err) as tell:
        rows = run(found, wanted, to, tell)
    out.print(f"Export: {escape(str(to))}, {rows:,} rows in the layout {escape(layout)}", soft_wrap=True)


def mount(app: typer.Typer) -> None:
    """Make these commands commands of `app`."""
    app.command()(export)
