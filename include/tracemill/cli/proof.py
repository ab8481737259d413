"""`tracemill prove`: whose thinking or answer a trainer's template would lose, double, cut or leave out of the loss."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tracemill.cli.exports import Numbered, Release, err, opened
from tracemill.cli.progress import counted
from tracemill.cli.tables import Table
from tracemill.cli.versions import AsJson, out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracemill.release.proof.batch import Line
    from tracemill.release.proof.limits import Limits
    from tracemill.release.proof.proving import Plan, Totals
    from tracemill.release.trainers.opened import Opened

_SHOWN = 5  # ids of each fault


def prove(
    release: Release,
    template: Annotated[
        str, typer.Option(help="A training template of trl by its name, a tokenizer's folder, a .jinja file, or `all`.")
    ],
    max_length: Annotated[
        int | None, typer.Option(min=1, help="Tokens after which the trainer cuts. [default: the tokenizer's longest]")
    ] = None,
    tokenizer: Annotated[str | None, typer.Option(help="The folder of a tokenizer, beside a template's name.")] = None,
    layout: Annotated[
        str | None, typer.Option(help="The layout that is trained on. [default: the one for this template]")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="A system prompt for every row; `am` is the one of the paper's training.")
    ] = None,
    at_most: Annotated[
        list[str] | None,
        typer.Option(metavar="FAULT=ROWS", help="Allow so many rows (or 0.5%) of this fault; `any` is all of them."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Write every row with a fault to this file, as JSON lines.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: all CPUs]")] = None,
    number: Numbered = None,
    as_json: AsJson = False,
) -> None:
    """Render every row through a trainer's template and tokenizer, and say by row id what training would not learn.

    Exit code 1 when more rows have a fault than --at-most allows, which is none by default. `--template all` tries all
    of trl's templates on 2,000 rows by digest and every row of a rare shape, each in the layout that suits it.

    Examples:

        tracemill prove var/releases/demo/v1 --template qwen3 --tokenizer models/qwen3 --max-length 32768

        tracemill prove var/releases/demo/v1 --template all

        tracemill prove s3://bucket/mine/v1 --template models/mine --at-most thinking_cut=0.5% --to faults.jsonl
    """
    from tracemill.engine.processors import processors
    from tracemill.errors import RecipeError
    from tracemill.release.proof.limits import limits
    from tracemill.release.trainers.layouts import AM_SYSTEM

    allowed = limits(at_most or ())
    prompt = AM_SYSTEM if system == "am" else system
    found = opened(release, number)
    if template == "all":
        if at_most:
            raise RecipeError("--at-most is about one template: name it instead of `all`")
        _all(found, tokenizer, prompt, max_length, as_json)
        return
    plan = _plan(template, tokenizer, layout, prompt, max_length)
    rows = found.count()
    shown: dict[str, list[str]] = {}
    with _noted(to) as write, counted("rows proved", rows, err) as tell:
        totals = _run(found, plan, workers or processors(), tell, lambda line: _keep(line, shown, write))
    _say(totals, plan, shown, as_json)
    _end(totals, allowed)


def _plan(name: str, tokenizer: str | None, layout: str | None, system: str | None, most: int | None) -> Plan:
    from tracemill.errors import RecipeError
    from tracemill.release.proof.proving import Plan, checked
    from tracemill.release.proof.recommended import recommended
    from tracemill.release.proof.templates import template
    from tracemill.release.trainers.layouts import layout_named

    found = template(name, tokenizer)
    if layout is not None:
        return checked(Plan(found, layout_named(layout), system, most))
    advised = recommended(found)
    if advised.layout is None:
        raise RecipeError(
            f"template {found.name} keeps rows whole in no layout ({advised.reason}); name one with --layout to see "
            "what it does to each row"
        )
    return checked(Plan(found, advised.layout, system, most))


def _run(
    release: Opened, plan: Plan, workers: int, tell: Callable[[int], None], note: Callable[[Line], None]
) -> Totals:
    from tracemill.release.proof.proving import prove as run

    batches = (pair for part in release.parts for pair in release.rows(part))
    return run(batches, plan, workers, tell, note)


def _keep(line: Line, shown: dict[str, list[str]], write: Callable[[str], None]) -> None:
    for one in line.found:
        ids = shown.setdefault(one.fault, [])
        if len(ids) < _SHOWN:
            ids.append(line.id)
        told = {"id": line.id, "file": line.file, "row": line.row, "fault": one.fault, "detail": one.detail}
        write(json.dumps(told, ensure_ascii=False) + "\n")


@contextmanager
def _noted(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Where rows with a fault are written; the file is there only when all rows were proved."""
    from tracemill.engine.objects import store_io
    from tracemill.errors import StoreError

    if path is None:
        yield lambda _: None
        return
    if path.is_dir():  # said now, not when all rows are proved
        raise StoreError(f"{path} is a folder: name a file for the rows with a fault")
    part = path.with_name(f".{path.name}.part")
    with store_io(f"cannot write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("w", encoding="utf-8")
    try:
        with file:
            yield lambda text: _written(file.write, text, path)
        with store_io(f"cannot write {path}"):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _written(write: Callable[[str], Any], text: str, path: Path) -> None:
    from tracemill.engine.objects import store_io

    with store_io(f"cannot write {path}"):
        write(text)


def _say(totals: Totals, plan: Plan, shown: dict[str, list[str]], as_json: bool) -> None:
    most = "nothing is cut" if plan.most is None else f"cut at {plan.most:,} tokens"
    if plan.template.folder is None:
        most = "lengths not looked at: no tokenizer"
    if as_json:
        head = {"template": plan.template.name, "layout": plan.layout, "max_length": plan.most}
        print(json.dumps({**head, "rows": totals.rows, "whole": totals.whole, "faults": totals.faults, "ids": shown}))
        return
    out.print(
        f"{totals.whole:,} of {totals.rows:,} rows are whole in the layout {plan.layout} by the template "
        f"{escape(plan.template.name)} ({most}).",
        soft_wrap=True,
    )
    if totals.faults:
        table = Table("fault", "rows", "such as")
        for fault, count in totals.faults.most_common():
            table.add_row(fault, f"{count:,}", escape(", ".join(shown[fault])))
        out.print(table)


def _end(totals: Totals, allowed: Limits) -> None:
    broken = allowed.broken(totals)
    for sentence in broken:
        err.print(f"[red]{sentence}[/red]", soft_wrap=True)
    if broken:
        raise typer.Exit(1)


def _all(release: Opened, tokenizer: str | None, system: str | None, most: int | None, as_json: bool) -> None:
    from tracemill.release.proof.survey import survey
    from tracemill.release.proof.templates import shipped

    release.count()
    with counted("templates", len(shipped()), err) as tell:
        lines = [one for one in survey(release, tokenizer, system, most) if tell(1) is None]
    if as_json:
        print(json.dumps([one.as_dict() for one in lines]))
        return
    table = Table("template", "layout", "rows", "whole", "system prompt", "otherwise")
    for one in lines:
        table.add_row(one.template, one.layout or "none", f"{one.rows:,}", f"{one.whole:,}", one.system, one.told)
    out.print(table)
    out.print(f"{sum(one.all_whole for one in lines)} of {len(lines)} templates keep every row whole.")


def mount(app: typer.Typer) -> None:
    """Make this command a command of `app`."""
    app.command()(prove)
