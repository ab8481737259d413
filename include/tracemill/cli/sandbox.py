"""`tracemill sandbox`: prove on this machine that programs are shut in and judged right."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from tracemill.cli.tables import Table
from tracemill.errors import TracemillError
from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.conformance import Row, cases, missing_parts, run_table, summary
from tracemill.sandbox.pool import open_sandbox

app = typer.Typer(help="The code sandbox: check its isolation, make its image.", no_args_is_help=True)
_BREACH = 1


@app.callback()
def _group() -> None:
    """The code sandbox."""


def _row_json(row: Row) -> dict[str, object]:
    verdict = row.verdict
    return {
        "case": row.case.name,
        "group": row.case.group,
        "wanted": sorted(row.case.wanted),
        "got": verdict.status.value if verdict else None,
        "right": row.right,
        "breach": row.breach,
        "reason": verdict.reason if verdict else row.note,
    }


def _print(grade: str, rows: list[Row], everything: bool) -> None:
    table = Table("case", "group", "wanted", "got", "")
    for row in sorted(rows, key=lambda row: (row.case.group, row.case.name)):
        mark = "not run" if row.verdict is None else "ok" if row.right else "BREACH" if row.breach else "wrong"
        if everything or mark != "ok":
            got = row.verdict.status.value if row.verdict else row.note
            wanted = sorted(row.case.wanted)
            names = "anything but accepted" if len(wanted) > 4 else ", ".join(wanted)
            table.add_row(row.case.name, row.case.group, names, got, mark)
    console = Console()
    if table.row_count:
        console.print(table)
    console.print(f"isolation: {grade}", highlight=False)
    facts = summary(rows)
    console.print(", ".join(f"{value} {key.replace('_', ' ')}" for key, value in facts.items()), highlight=False)


@app.command()
def check(
    backend: Annotated[Literal["namespace", "docker"], typer.Option(help="Which backend to check.")] = "namespace",
    image: Annotated[str, typer.Option(help="The Docker backend's image.")] = "tracemill-sandbox",
    runtime: Annotated[str | None, typer.Option(help="The Docker runtime, for example runsc (gVisor).")] = None,
    python: Annotated[Path, typer.Option(help="The interpreter for programs (namespace backend).")] = Path(
        sys.executable
    ),
    workers: Annotated[int, typer.Option(min=1, help="How many programs at a time.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show the cases that are right, too.")] = False,
) -> None:
    """Run the conformance table and print the isolation's grade. Exit status 1: an escape or a false accept."""
    settings = SandboxSettings(kind=backend, image=image, runtime=runtime, python=python, workers=workers)
    table = cases()
    try:
        missing = missing_parts(settings)
        with open_sandbox(settings) as sandbox, Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("programs", total=len(table))
            rows = []
            for row in run_table(sandbox, table, missing):
                rows.append(row)
                progress.advance(task)
            grade = sandbox.isolation
    except TracemillError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps({"isolation": grade, **summary(rows), "rows": [_row_json(row) for row in rows]}))
    else:
        _print(grade, rows, everything)
    if any(row.breach for row in rows):
        raise typer.Exit(_BREACH)


@app.command()
def image(
    tag: Annotated[str, typer.Argument(help="The image's name.")] = "tracemill-sandbox",
    compiler: Annotated[bool, typer.Option(help="Include this machine's C++ compiler (Debian).")] = True,
) -> None:
    """Make a sandbox image from this machine's own interpreter, for engines that can reach no registry."""
    import docker.errors

    import docker
    from tracemill.sandbox.backends.image import import_image

    try:
        client = docker.from_env(timeout=300)
        typer.echo(import_image(client, tag, compiler=compiler))
    except docker.errors.DockerException as error:
        typer.echo(f"error: the Docker engine at DOCKER_HOST did not take the image: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
