"""Reads what sources keep beside a programming problem: a program that solves it."""

from __future__ import annotations

from typing import Any

from tracemill.text.fences import blocks


def code_of(solution: str | None) -> str | None:
    """The program in a solution: its last fenced block, or all of it where nothing is fenced; None for none."""
    if not solution:
        return None
    fenced = blocks(solution)
    return fenced[-1].code if fenced else solution


def first_code(solutions: list[Any]) -> str | None:
    """The first program among several solutions; entries that are no text are passed over."""
    return next((code_of(one) for one in solutions if isinstance(one, str) and one.strip()), None)
