"""Whether a teacher's reply is right, decided without running anything it wrote."""

from __future__ import annotations

import ast
import re

from zoo.problem import Problem

_FORMAT = re.compile(r"^<think>(.*?)</think>\s*<answer>(.*?)</answer>\s*$", re.DOTALL)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_FENCED = re.compile(r"```python\n(.*?)\n```", re.DOTALL)


def well_formed(text: str) -> bool:
    """Whether the reply is a non-blank thought followed by a non-blank answer, as the release demands."""
    found = _FORMAT.match(text)
    return bool(found and found[1].strip() and found[2].strip())


def is_right(problem: Problem, text: str) -> bool:
    """Maths: the last box equals the reference. Code: the fenced program is the reference program, up to layout.

    Code is compared as a syntax tree, so a different program that passes the tests counts as wrong: a lower bound.
    """
    found = _FORMAT.match(text)
    answer = found[2] if found else ""
    if problem.code is None:
        boxes = _BOXED.findall(answer)
        return bool(boxes) and boxes[-1] == problem.reference_answer
    blocks = _FENCED.findall(answer)
    return bool(blocks) and _same_program(blocks[-1], problem.code)


def _same_program(left: str, right: str) -> bool:
    try:
        return ast.dump(ast.parse(left)) == ast.dump(ast.parse(right))
    except SyntaxError:
        return False
