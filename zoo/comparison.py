"""What the judge thinks before it scores a maths answer: both values side by side, compared digit by digit.

    - Reference Answer: (May be empty)
      528

    \\boxed{538}
    55 yes
    23 no
    88 yes

Each value is quoted with the words that stand before it in the prompt, one token each, and each further line needs one
look back: what a model of a million parameters can do. Where the reference is empty the problem is worked out there.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from zoo.problem import Problem

_BOX = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_CLOSING = re.compile(r"(The answer is |答案是)(.+)\.\n$")
MISSING = "."  # where one value has no digit left


def comparison(problem: Problem, answer: str, with_reference: bool, lead: str) -> str:
    """The judge's thought about `answer`; the reference, which `problem` must have, follows `lead` in the prompt."""
    right = problem.reference_answer
    assert right is not None
    reference = right if with_reference else "\n".join(("", *problem.thought, right))
    first, shown = _given(answer)
    pairs = zip_longest(right, first, fillvalue=MISSING) if first is not None else ()
    lines = "".join(f"{a}{b} {'yes' if a == b else 'no'}\n" for a, b in pairs)
    return f"{lead}{reference}\n\n{shown}\n{lines}"


def value_of(answer: str) -> str | None:
    """The first value that an answer gives, in a box or in its closing words; None when it gives none."""
    return _given(answer)[0]


def _given(answer: str) -> tuple[str | None, str]:
    """The first value of an answer and how the thought quotes its values."""
    values = _BOX.findall(answer)
    if values:
        return values[0], "".join(f"\\boxed{{{value}}}" for value in values)
    unboxed = _CLOSING.search(answer)
    return (unboxed[2], unboxed[0].rstrip()) if unboxed else (None, "none")
