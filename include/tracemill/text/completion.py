"""Joins a HumanEval prompt with the program that an answer fences: a body that goes on, or a whole function again."""

from __future__ import annotations

import ast
import textwrap


def completed(prompt: str, offered: str) -> str:
    """Return one program. A prompt that is a bare signature cannot stand alone: what is offered stands in its place."""
    if _is_python(offered):
        return f"{_standing(prompt)}\n{offered}"
    body = textwrap.indent(textwrap.dedent(offered), "    ")
    for program in (f"{prompt.rstrip()}\n{offered}", f"{prompt.rstrip()}\n{body}"):
        if _is_python(program):
            return program
    return f"{prompt}\n{offered}"


def _standing(prompt: str) -> str:
    """Return as much of the prompt as is Python by itself: its imports and helpers, where its last function is open."""
    if _is_python(prompt):
        return prompt
    with_body = f"{prompt.rstrip()}\n    pass\n"
    return with_body if _is_python(with_body) else prompt


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
