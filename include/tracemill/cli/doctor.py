"""`tracemill doctor`: one page of what this machine can do, and what to do about what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

_COLOURS = {"yes": "green", "no": "yellow", "broken": "red"}


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can do and what to do about what is missing; seconds, and no secret is shown.

    Exit status 0: the demo can run here.
    """
    from tracemill.cli.checks import checks
    from tracemill.cli.surroundings import surroundings
    from tracemill.engine.resources import Resources

    machine = Resources()
    found = [*checks(machine), *surroundings(machine)]
    missing = [one.name for one in found if one.needed and one.state != "yes"]
    if as_json:
        typer.echo(json.dumps({"demo": not missing, "checks": [asdict(one) for one in found]}, ensure_ascii=False))
    else:
        table = Table("", "here")
        for heading in ("what was found", "what to do"):
            table.add_column(heading, overflow="fold")
        for one in found:
            state = f"[{_COLOURS[one.state]}]{one.state}[/]"
            table.add_row(escape(one.name), state, escape(one.said), escape(one.remedy))
        out.print(table)
        if missing:
            out.print(f"[red]The demo cannot run here yet: {escape(', '.join(missing))}.[/red]", soft_wrap=True)
        else:
            out.print("The demo can run here: make demo, or tracemill run demo --root var/store/demo/v1")
    if missing:
        raise typer.Exit(1)
