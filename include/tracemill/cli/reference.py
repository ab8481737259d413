"""Writes the reference from the code: recipe keys, tables, reasons, commands and variables, as Markdown pages."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer

from tracemill.cli import app
from tracemill.drafting.described import Described, default_in_json, described
from tracemill.drafting.kinds import FAMILIES, kinds
from tracemill.engine.tables import declared
from tracemill.engine.variables import CONNECTION, VARIABLES
from tracemill.upkeep.retrying import REASONS

LIBRARY = Path(__file__).resolve().parents[1]
_DECLARED = re.compile(r'((?:^# .*\n)+)^\w+ = declare\(\s*Table\(\s*"(\w+)"', re.MULTILINE)
_NOTE = "Made from the code at build time: `tracemill describe KIND` says the same in a terminal.\n"


def pages() -> dict[str, str]:
    """Every page of the reference, by its file's name."""
    by_family = {f"{_file(family)}.md": "\n".join(_family(family)) for family in FAMILIES}
    return {
        **by_family,
        "tables.md": "\n".join(_tables()),
        "reasons.md": "\n".join(_reasons()),
        "commands.md": "\n".join(_commands()),
        "environment.md": "\n".join(_variables()),
    }


def _file(family: str) -> str:
    return family.replace(" ", "-") + ("" if family.endswith("s") else "s")


@cache
def _every() -> tuple[Described, ...]:
    return tuple(described(kind) for kind in kinds())


def _family(family: str) -> Iterator[str]:
    yield f"# {_file(family).replace('-', ' ').capitalize()}\n"
    yield _NOTE
    for one in _every():
        if one.family == family:
            yield from _kind(one)


def _kind(one: Described) -> Iterator[str]:
    yield f"## `{one.name}`\n"
    yield f"{_prose(one.text)}\n"
    if one.keys:
        rows = [(f"`{key.name}`", key.type, f"`{key.default}`", key.meaning) for key in one.keys]
        yield from _table(("key", "type", "default", "meaning"), rows)
    if one.facts:
        yield from _table(("fact", ""), one.facts.items())
    if one.reasons:
        yield from _table(("reason", "of rows that it turns away"), ((f"`{r}`", t) for r, t in one.reasons.items()))


def _tables() -> Iterator[str]:
    """Every declared table, with what the code says of it, its columns, and the steps that read and write it."""
    notes = dict(_notes())
    steps = [one for one in _every() if one.family == "step"]
    yield "# Tables\n"
    yield "Parquet below a store, one file a shard; a judgement is a small table keyed by id. Made from the code.\n"
    for name, table in sorted(declared().items()):
        if table.columns is None:
            continue
        yield f"## `{name}`\n"
        yield f"{_escaped(notes.get(name, ''))}\n"
        about = [f"one or more rows a {table.about[0]}, by `{table.about[1]}`"] if table.about else []
        yield "; ".join([*about, _users(steps, "writes", name), _users(steps, "reads", name)]) + "\n"
        yield from _table(("column", "type"), ((f"`{column.name}`", str(column.type)) for column in table.columns))


def _users(steps: Iterable[Described], how: str, table: str) -> str:
    names = [one.name for one in steps if table in one.facts[how].split(", ")]
    word = {"writes": "written", "reads": "read"}[how]
    return f"{word} by {', '.join(f'`{name}`' for name in names)}" if names else f"{word} by no step"


def _notes() -> Iterator[tuple[str, str]]:
    """The comment that stands above each declaration of a table."""
    for path in sorted(LIBRARY.rglob("*.py")):
        for found in _DECLARED.finditer(path.read_text(encoding="utf-8")):
            yield found[2], " ".join(line.removeprefix("# ") for line in found[1].splitlines())


def _reasons() -> Iterator[str]:
    yield "# Reasons\n"
    yield "Why a row is not kept: the word in the ledger, in `tracemill funnel` and `tracemill why`.\n"
    for one in _every():
        if one.family == "step" and (one.reasons or "ledger" in one.facts):
            yield f"## `{one.name}`\n"
            if "ledger" in one.facts:
                yield f"{_escaped(one.facts['ledger'])}\n"
            if one.reasons:
                yield from _table(("reason", "when"), ((f"`{r}`", text) for r, text in one.reasons.items()))
    yield "## Source rows that are quarantined\n"
    yield from _table(("reason", "raised in"), ((f"`{r}`", ", ".join(sorted(who))) for r, who in _row_errors().items()))
    yield "## What the world refused\n"
    yield "`tracemill retry --reason REASON` asks again for these.\n"
    kept = {True: "an answer is stored: it is asked again only with its answers forgotten", False: "nothing is stored"}
    yield from _table(("reason", "answer"), ((f"`{reason}`", kept[stored]) for reason, stored in REASONS.items()))


def _row_errors() -> dict[str, set[str]]:
    """The reasons that are given to RowError in the code of sources, and the modules that give them."""
    found: dict[str, set[str]] = {}
    for path in sorted((LIBRARY / "ingest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RowError" and node.args:
                reason = node.args[0]
                if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                    found.setdefault(reason.value, set()).add(path.stem)
    return dict(sorted(found.items()))


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "Exit status: 0 done, 1 an error that its one sentence explains, 2 wrong usage, 130 interrupted.\n"
    yield from _command(typer.main.get_command(app), "tracemill")


def _command(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    yield f"## `{path}`\n"
    yield f"{_prose(inspect.cleandoc(command.help or ''))}\n"
    shown = [one for one in command.params if one.name != "help" and "completion" not in one.name]
    if shown:
        yield from _table(("argument or option", "default", "meaning"), (_parameter(one) for one in shown))
    for name, one in sorted(inner.items()):
        yield from _command(one, f"{path} {name}")


def _parameter(one: Any) -> tuple[str, ...]:
    """Names, default and meaning of an argument or option."""
    names = [*one.opts, *one.secondary_opts] if one.opts[0].startswith("-") else [str(one.metavar or one.name.upper())]
    has_default = one.default not in (None, False, ()) and not callable(one.default)
    default = "required" if one.required else f"`{default_in_json(one.default)}`" if has_default else ""
    return ", ".join(f"`{name}`" for name in names), default, one.help or ""


def _variables() -> Iterator[str]:
    yield "# Environment variables\n"
    yield "`tracemill doctor` says which of them are set here; the value of a secret is shown nowhere.\n"
    rows = [(f"`{one.name}`", one.meaning, one.default, "yes" if one.secret else "") for one in VARIABLES]
    rows.append(
        (f"`{CONNECTION}NAME`", "A connection to a store, a model or whoever is told, as Airflow has it.", "", "yes")
    )
    yield from _table(("variable", "meaning", "default", "secret"), rows)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(' '.join(cell.split())).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _prose(text: str) -> str:
    """A docstring as Markdown: a table in two columns, or an indented example, stays as it is written."""
    parts = re.split(r"\n\s*\n", text)
    kept = [f"```text\n{inspect.cleandoc(part)}\n```" if _is_laid_out(part) else _escaped(part) for part in parts]
    return "\n\n".join(kept)


def _is_laid_out(part: str) -> bool:
    return part.startswith("    ") or bool(re.search(r"^[a-z_, ]+ {2,}\S", part, re.MULTILINE))


def _escaped(text: str) -> str:
    """Text without what Markdown would take for HTML or a link outside of code spans."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<>\[\]*_])", r"\\\1", p) for p in pieces)
