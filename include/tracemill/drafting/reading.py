"""Reads the rows that were looked at as the drafted source will: what a model is asked, and what cannot be read."""

from __future__ import annotations

from collections import Counter

from pydantic import ValidationError

from tracemill.drafting.looking import Look
from tracemill.drafting.parts import Roles, unaccounted
from tracemill.errors import RecipeError
from tracemill.ingest.mapped import Columns, mapped_row
from tracemill.ingest.source import RowError, SourceRow


def _read(found: Look, roles: Roles) -> list[SourceRow | RowError]:
    try:
        columns = Columns.model_validate(dict(roles))
    except ValidationError as error:
        raise RecipeError(f"{found.given}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    made: list[SourceRow | RowError] = []
    for row in found.rows:
        try:
            made.append(mapped_row(dict(row), columns, "unknown"))
        except RowError as error:
            made.append(error)
    return made


def problem_of(found: Look, roles: Roles) -> str | None:
    """The first problem as a model is asked it; None where no column is known to hold any, or none can be read."""
    if not {"prompt", "messages"} & roles.keys():
        return None
    return next((row.prompt for row in _read(found, roles) if isinstance(row, SourceRow)), None)


def unreadable(found: Look, roles: Roles) -> list[str]:
    """Why rows that were looked at would be quarantined, each reason once. Raises RecipeError when all would be."""
    made = _read(found, roles)
    reasons = Counter(str(one) for one in made if isinstance(one, RowError))
    if reasons and sum(reasons.values()) == len(made):
        raise RecipeError(f"{found.given}: no row can be read with these columns: {reasons.most_common(1)[0][0]}")
    return [
        f"{count} of {len(made)} rows cannot be read and would be left out: {why}" for why, count in reasons.items()
    ]


def require_whole(found: Look, roles: Roles, ignored: list[str]) -> None:
    """Raise RecipeError for columns that may be a part of the problem and that no model would see."""
    if left := unaccounted(found, roles, ignored):
        raise RecipeError(
            f"{found.given}: {', '.join(left)} may be a part of the problem, and no model would see it. Put it above "
            f"or below the prompt (--column before={left[0]}, --column after={left[0]}), say that it holds the choices "
            f"(--column options={left[0]}), or that it is none (--ignore {left[0]}; --ignore '*' for all)"
        )
