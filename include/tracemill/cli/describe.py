"""`tracemill describe`: what a kind is, its keys and tables, and the schema by which editors complete recipes."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    from tracemill.drafting.described import Described


def describe(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="A source, step, verifier, language, ... by its `kind`.")
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors and checks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what KIND is, every key with type, default, unit and meaning, and what a step reads and writes.

    Without KIND: the list of all there are. An object inside another is called as its keys' types name it.

    Examples:

        tracemill describe distill

        tracemill describe sampling

        tracemill describe --schema > recipe.schema.json
    """
    from tracemill.drafting.described import described
    from tracemill.drafting.kinds import kinds_named
    from tracemill.drafting.schema import recipe_schema

    if schema:
        typer.echo(json.dumps(recipe_schema(), indent=1, ensure_ascii=False))
    elif kind is None:
        _list(as_json)
    else:
        found = [described(one) for one in kinds_named(kind)]
        if as_json:
            typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
            return
        for one in found:
            _show(one)


def _list(as_json: bool) -> None:
    from tracemill.drafting.kinds import kinds

    families = {family: [one.name for one in every] for family, every in groupby(kinds(), lambda one: one.family)}
    if as_json:
        typer.echo(json.dumps(families))
        return
    table = Table("family", "kinds", show_lines=True)
    for family, names in families.items():
        table.add_row(family, ", ".join(names))
    out.print(table)
    out.print("One of them: tracemill describe KIND")


def _show(one: Described) -> None:
    out.print(f"[bold]{escape(one.name)}[/bold] ({one.family}; {one.module})\n", soft_wrap=True)
    out.print(escape(one.text) + "\n", soft_wrap=True)
    if one.keys:
        table = Table("key", "type", "default", "meaning")
        for key in one.keys:
            table.add_row(*(escape(text) for text in (key.name, key.type, key.default, key.meaning)))
        out.print(table)
    for name, text in one.facts.items():
        out.print(f"{name}: {escape(text)}", soft_wrap=True)
    if one.reasons:
        table = Table("reason", "of rows that it turns away")
        for reason, text in one.reasons.items():
            table.add_row(reason, escape(text))
        out.print(table)
    out.print()
