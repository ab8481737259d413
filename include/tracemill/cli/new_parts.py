"""`tracemill new source`, `verifier` and `step`: a new part of the library, with its test, in a clone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tracemill.cli.versions import out

if TYPE_CHECKING:
    from tracemill.drafting.scaffold import Part

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its kind: what recipes will call it, as acme_math.")]
Clone = Annotated[Path | None, typer.Option("--clone", help="The clone to write into. [default: the one around here]")]


def source(name: Name, clone: Clone = None) -> None:
    """Write a new source: its file, a fixture of two rows and a test; then print the one line that is left to add."""
    from tracemill.drafting.scaffold import SOURCE

    _write(SOURCE, name, clone)


def verifier(name: Name, clone: Clone = None) -> None:
    """Write a new verifier: its file and a test of four answers; then print the one line that is left to add."""
    from tracemill.drafting.scaffold import VERIFIER

    _write(VERIFIER, name, clone)


def step(
    name: Name,
    room: Annotated[str, typer.Option(help="The room of the house that it lies in, as curate or select.")] = "curate",
    clone: Clone = None,
) -> None:
    """Write a new step: its file, test and Airflow's operator; then print the one line that is left to add."""
    from tracemill.drafting.scaffold import step_of

    _write(step_of(room), name, clone)


def mount(app: typer.Typer) -> None:
    """Add the commands to `tracemill new`."""
    app.command("source")(source)
    app.command("verifier")(verifier)
    app.command("step")(step)


def _write(part: Part, name: str, clone: Path | None) -> None:
    from tracemill.drafting.scaffold import clone_around, write_part

    root = clone or clone_around(Path.cwd())
    written = write_part(part, name, root)
    for path in written.files:
        out.print(f"Wrote {escape(str(path.relative_to(root)))}", soft_wrap=True)
    out.print(f"Left to add, to {written.union} in {written.listed}:", soft_wrap=True)
    out.print(escape(written.line), soft_wrap=True)
    out.print(f"Then: .venv/bin/python -m pytest {written.test}", soft_wrap=True)
