"""`tracemill migrate`: brings a store of an older format to today's."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, width=120)


def migrate(
    root: Annotated[str, typer.Argument(help="The store: a path or any fsspec URL, such as s3://bucket/prefix.")],
    recipe: Annotated[
        str | None, typer.Option(help="A recipe's name or file. [default: the one that the store remembers]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
) -> None:
    """Give a store of an older format today's ids; versions, revocations and paid answers keep their meaning.

    The sources must be there, for they are read again. Killed half-way, it is begun again with the same command.
    """
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import FORMAT, Store
    from tracemill.migration.migrating import migrate as run
    from tracemill.migration.migrating import would_migrate
    from tracemill.recipe import load_recipe
    from tracemill.report.funnel import recipe_of

    store = Store.at(root, old=True)
    if store.format() == FORMAT:
        out.print(f"{escape(store.root)} is of format {FORMAT} already.", soft_wrap=True)
        return
    known = load_recipe(recipe) if recipe else recipe_of(store)
    if dry_run:
        for line in would_migrate(known, store, Resources()):
            out.print(escape(line), soft_wrap=True)
        return
    refresh = shlex.join(["tracemill", "refresh", recipe or "RECIPE", "--root", root])
    done = run(known, store, Resources(), lambda line: out.print(escape(line), soft_wrap=True))
    out.print(
        f"{done.old_problems:,} problems are {done.new_problems:,} by the ids of format {FORMAT}; "
        f"{done.generations:,} responses followed them, {done.revocations:,} lines came to the revocation lists, "
        f"{done.anchors:,} rows stay kept. Next: {escape(refresh)}",
        soft_wrap=True,
    )
