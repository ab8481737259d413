"""The reference is made from the code, so it leaves nothing out and says nothing of the machine it was made on."""

from __future__ import annotations

import re
from functools import cache

import pytest
import typer

from tracemill.cli import app
from tracemill.cli.reference import pages
from tracemill.drafting.kinds import FAMILIES, kinds
from tracemill.engine.tables import declared
from tracemill.engine.variables import VARIABLES


@cache
def reference() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_has_its_section(family: str) -> None:
    page = reference()[f"{family.replace(' ', '-')}s.md".replace("ss.md", "s.md")]
    missing = [kind.name for kind in kinds() if kind.family == family and f"## `{kind.name}`" not in page]
    assert missing == []


def test_every_table_has_its_columns_and_a_sentence() -> None:
    sections = dict(re.findall(r"^## `(\w+)`\n\n(.*?)(?=^## |\Z)", reference()["tables.md"], re.MULTILINE | re.DOTALL))
    tables = {name: table for name, table in declared().items() if table.columns is not None}
    assert set(sections) == set(tables)
    for name, table in tables.items():
        assert [column for column in table.schema.names if f"| `{column}` |" not in sections[name]] == []


def test_every_command_and_option_is_there() -> None:
    page = reference()["commands.md"]

    def walk(command: object, path: str) -> None:
        assert f"## `{path}`" in page
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}")

    walk(typer.main.get_command(app), "tracemill")
    assert "`--dry-run`" in page
    assert "| `--recipe` |" in page


def test_reasons_are_those_of_steps_and_sources() -> None:
    page = reference()["reasons.md"]
    assert {"no_think", "malformed_json", "poison", "incomplete"} <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))


def test_every_variable_is_there_and_no_path_of_this_machine() -> None:
    assert [one.name for one in VARIABLES if one.name not in reference()["environment.md"]] == []
    assert re.findall(r"/(?:root|home|work|tmp)/\S+/(?:bin|include)\S*", "\n".join(reference().values())) == []


@pytest.mark.parametrize("name", sorted(pages()))
def test_tables_of_a_page_are_whole(name: str) -> None:
    """Trap: a bar within a cell makes another column."""
    width = 0
    for line in reference()[name].splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells
