"""Joins a HumanEval prompt with the program that an answer fences: a body that goes on, or a whole function again."""

from __future__ import annotations

import ast
import textwrap

_LONGEST = 256 << 10  # characters; a syntax tree takes a few hundred bytes for each


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
    """Return whether `source` can stand alone: it parses, and returns from no function but its own."""
    if len(source) > _LONGEST:
        return True  # too long to be looked at here; its compiler will say
    try:
        waiting: list[ast.AST] = list(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            return False
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            waiting += ast.iter_child_nodes(node)
    return True
