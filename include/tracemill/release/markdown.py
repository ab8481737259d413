"""Writes Markdown tables from data whose texts nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table, one line a row, with a line end after the last."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell(value) for value in line) + " |\n" for line in lines)


def cell(value: Any) -> str:
    """One value as Markdown text; labels come from data, so what would break a table or add markup is disarmed."""
    if isinstance(value, int):
        return f"{value:,}"
    text = json.dumps("" if value is None else str(value), ensure_ascii=False)[1:-1]
    return text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
