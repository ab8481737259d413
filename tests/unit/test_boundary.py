"""Where the command meets its user: what the system refuses is one sentence, and what is written can be read."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from tracemill import __version__
from tracemill.cli import app
from tracemill.cli.boundary import STATE, Group, speak
from tracemill.cli.tables import Table

PROJECT = Path(__file__).resolve().parents[2]


def refusing(error: Exception) -> typer.Typer:
    """A command of this group that ends in an error."""
    made = typer.Typer(cls=Group, pretty_exceptions_enable=False)

    @made.callback()
    def _options() -> None:
        """Nothing is set."""

    @made.command()
    def one() -> None:
        raise error

    return made


def test_what_the_system_refuses_is_one_sentence_that_names_the_place() -> None:
    result = CliRunner().invoke(refusing(PermissionError(13, "Permission denied", "/mine")), ["one"])
    assert result.exit_code == 1
    assert "/mine" in result.stderr
    assert "Traceback" not in result.output


def test_debug_shows_where_it_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATE, "debug", True)
    error = PermissionError(13, "Permission denied", "/mine")
    assert CliRunner().invoke(refusing(error), ["one"]).exception is error


def test_a_fault_of_the_house_is_no_sentence() -> None:
    assert isinstance(CliRunner().invoke(refusing(KeyError("x")), ["one"]).exception, KeyError)


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1", "utf-8"])
def test_a_file_is_utf_8_whatever_the_locale(encoding: str) -> None:
    """Trap: JSON in Latin-1, or none at all."""
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    speak(stream)
    stream.write(json.dumps({"a": "二 ä"}, ensure_ascii=False))
    stream.flush()
    assert json.loads(buffer.getvalue().decode("utf-8")) == {"a": "二 ä"}


def test_a_terminal_that_lacks_a_character_shows_its_number() -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    buffer = io.BytesIO()
    stream = Terminal(buffer, encoding="ascii")
    speak(stream)
    stream.write("二")
    stream.flush()
    assert buffer.getvalue() == b"\\u4e8c"


@pytest.mark.parametrize("width", [20, 40, 120])
def test_an_id_is_whole_however_narrow_the_terminal_is(width: int) -> None:
    """Trap: rich cuts a long word and puts an ellipsis in its place."""
    identity = "p0123456789abcdef0123456789"
    shown = io.StringIO()
    table = Table("problem", "why")
    table.add_row(identity, "x")
    Console(file=shown, width=width).print(table)
    cells = [line.split("│")[1].strip() for line in shown.getvalue().splitlines() if line.startswith("│")]
    assert "".join(cells) == identity


def test_every_table_of_the_command_is_such_a_one() -> None:
    rooms = (PROJECT / "include" / "tracemill" / "cli").glob("*.py")
    taken = [path.name for path in rooms if "from rich.table import" in path.read_text(encoding="utf-8")]
    assert taken == []


def test_it_says_its_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"tracemill {__version__}\n")


@pytest.mark.slow
def test_a_full_disk_is_one_sentence() -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "include")}
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tracemill", "describe", "--schema"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
