"""What `tracemill new recipe` shows of somebody's rows, and asks; a wrong answer is said and asked for again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.markup import escape

from tracemill.cli.tables import Table
from tracemill.cli.versions import out
from tracemill.errors import RecipeError, TracemillError

if TYPE_CHECKING:
    from tracemill.drafting.asked import Asked
    from tracemill.drafting.looking import Look
    from tracemill.drafting.parts import Roles

Answer = TypeVar("Answer")
_SHOWN = 70  # characters of an example
_WHOLE = 800  # characters of the whole problem


def show(found: Look, roles: Roles) -> None:
    """Print the columns, what they are taken for, and an example of each; and a problem as a model will see it."""
    from tracemill.drafting.guessing import unused
    from tracemill.drafting.parts import values
    from tracemill.drafting.reading import problem_of

    if found.known:
        out.print(f"{found.given} is a data set that tracemill knows (source {found.known!r}): no column to map.")
        return
    table = Table("column", "taken for", "example")
    taken = {name: role for role, given in roles.items() for name in ([given] if isinstance(given, str) else given)}
    for one in dict.fromkeys((*found.columns, *taken)):
        table.add_row(escape(one), taken.get(one, ""), escape(_short(next(iter(values(found, one)), None), _SHOWN)))
    out.print(table)
    if whole := problem_of(found, roles):
        out.print("A model is asked:", escape(_cut(whole, _WHOLE)), sep="\n", soft_wrap=True)
    if left := unused(found, roles):
        out.print(f"[yellow]Not used: {escape(', '.join(left))}.[/yellow]", soft_wrap=True)


def confirmed(found: Look, roles: Roles, ignored: Sequence[str]) -> Roles:
    """The roles after a person saw them; each wrong one is said as ROLE=COLUMN. What may be a part of the problem is
    left out only by a yes.
    """
    from tracemill.drafting.guessing import said

    corrected = roles
    while True:
        answer = typer.prompt(
            "Right? Enter, or what is wrong as ROLE=COLUMN (prompt, before, after, options, reference_answer, "
            "test_case, response, ...)",
            default="",
            show_default=False,
        )
        try:
            if answer.strip():
                corrected = said(corrected, [answer.strip()], found)
                show(found, corrected)
            elif _is_whole(found, corrected, ignored):
                return corrected
        except RecipeError as error:
            told_wrong(error)


def _is_whole(found: Look, roles: Roles, ignored: Sequence[str]) -> bool:
    from tracemill.drafting.guessing import require_problem
    from tracemill.drafting.parts import unaccounted

    require_problem(roles, found)
    left = unaccounted(found, roles, ignored)
    return not left or typer.confirm(f"No model will see {', '.join(left)}. Is the problem whole without?")


def told_wrong(error: TracemillError) -> None:
    """Say what was wrong, before it is asked for again."""
    out.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)


def until(ask: Callable[[], Answer]) -> Answer:
    """What somebody answers, asked for again while it is wrong."""
    while True:
        try:
            return ask()
        except TracemillError as error:
            told_wrong(error)


def asked_model(api: str | None, weights: str | None, model: str | None, key: str | None) -> Asked:
    """The model, as the options say, and what they do not say as somebody answers. Raises RecipeError for a key."""
    from tracemill.drafting.asked import Asked, provider, variable

    if api and weights:
        raise typer.BadParameter("give --api or --weights, not both")
    if not api and not weights:
        api, weights = until(_place)
    if weights:
        return Asked(model or Path(weights).resolve().name, weights=weights)
    url, usual = provider(api or "")
    if key is None and model is None:
        model = typer.prompt("The model's name there")
        named = until(lambda: variable(_variable(usual)))
    else:
        named = variable(usual if key is None else key)
    return Asked(str(model or typer.prompt("The model's name there")), url=url, key=named)


def _place() -> tuple[str | None, str | None]:
    """An API's address or provider, or a folder of weights. Raises RecipeError for neither."""
    from tracemill.drafting.asked import PROVIDERS, provider

    place = typer.prompt(f"The model: an API ({', '.join(PROVIDERS)}, or an address), or a folder of weights")
    if Path(place).expanduser().is_dir():
        return None, place
    provider(place)
    return place, None


def _variable(usual: str | None) -> Any:
    question = "NAME of the environment variable with the key (never the key itself)"
    return typer.prompt(question, default=usual or "")


def _short(value: Any, longest: int) -> str:
    return _cut(" ".join(("" if value is None else str(value)).split()), longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "..."
