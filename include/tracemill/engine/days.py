"""A day in a recipe: written as 2024-10-01, with or without quotes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


def _written(given: Any) -> Any:
    """YAML reads a day without quotes as a date."""
    return given.isoformat() if type(given) is date else given


def _on_the_calendar(day: str) -> str:
    date.fromisoformat(day)  # raises ValueError for the 31st of February
    return day


def on_the_calendar(text: str) -> bool:
    """Whether a text is a day, as 2024-10-01."""
    try:
        return text == date.fromisoformat(text).isoformat()
    except ValueError:
        return False


Day = Annotated[str, BeforeValidator(_written), Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_on_the_calendar)]
