"""Where the command meets its user: an error becomes one sentence and an exit code, and all output can be written."""

from __future__ import annotations

from io import TextIOWrapper
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from tracemill import __version__
from tracemill.errors import TracemillError

err = Console(stderr=True, highlight=False)
STATE = {"debug": False}


class Group(TyperGroup):
    """The one place where an error becomes a sentence and an exit code.

    A pipe whose reader has left is no error; click ends the command.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (TracemillError, OSError) as error:
            if STATE["debug"]:
                raise
            err.print(f"[red]tracemill: {escape(_said(error))}[/red]", soft_wrap=True)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            err.print("Interrupted. What is sealed stays; run the same command again to continue.")
            raise typer.Exit(130) from error


def _said(error: Exception) -> str:
    """An error's own words; of what the system refused also what to do."""
    if isinstance(error, TracemillError):
        return str(error)
    return f"{error}: look whether that place is there, is yours and has room; --debug shows where it happened"


def version(asked: bool) -> None:
    """Print the version and end, where it is asked for."""
    if asked:
        typer.echo(f"tracemill {__version__}")
        raise typer.Exit


def speak(stream: Any) -> None:
    """Write UTF-8 into files and pipes, as JSON and schemas are; a terminal that lacks a character shows its number."""
    if not isinstance(stream, TextIOWrapper) or stream.encoding.lower().replace("-", "") == "utf8":
        return
    if stream.isatty():
        stream.reconfigure(errors="backslashreplace")
    else:
        stream.reconfigure(encoding="utf-8")
