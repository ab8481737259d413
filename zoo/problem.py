"""The one record of a generated problem, with everything needed to write, check and grade an answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["arithmetic", "equation", "story", "code"]
Language = Literal["en", "zh"]
KINDS: tuple[Kind, ...] = ("arithmetic", "equation", "story", "code")
LEVELS: tuple[int, ...] = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Problem:
    """A question of level 1 (very easy) to 5 (very hard) and its reference solution.

    `thought` is the working, one text for each step; `recap` the main results that an answer repeats. Maths has a
    `reference_answer` and no tests; code has `tests` (assert statements on `entry_point`) and no reference answer.
    """

    kind: Kind
    level: int
    language: Language
    prompt: str
    thought: tuple[str, ...]
    recap: tuple[str, ...]
    reference_answer: str | None = None
    entry_point: str | None = None
    code: str | None = None
    tests: tuple[str, ...] = ()


def settle(
    kind: Kind,
    level: int,
    language: Language,
    prompt: str,
    thought: Sequence[str],
    recap: Sequence[str],
    value: int,
    unknown: str = "",
) -> Problem:
    """A maths problem whose answer is the whole number `value`; `unknown` names it in the last step."""
    steps = (*thought, f"{unknown}={value}") if unknown else tuple(thought)
    return Problem(kind, level, language, prompt, steps, tuple(recap), str(value))
