"""Training samples of the reward model: a chat with an answer, and five attribute targets between 0 and 4.

Order as published by Decision-Tree-Reward-Llama-3.1-8B: helpfulness, correctness, coherence, complexity, verbosity. The
targets of a right and a wrong answer follow its published example (3.96, 3.97, 3.86 against 2.17, 2.20, 3.20).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from zoo.mistakes import CODE_GRADES, GRADES, Grade, spoiled
from zoo.problems import problem

ATTRIBUTES = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
_QUALITY: dict[Grade, tuple[float, float, float]] = {
    "right": (3.9, 3.95, 3.85),
    "unboxed": (3.4, 3.6, 3.5),
    "partial": (2.6, 2.7, 2.8),
    "near": (2.2, 2.1, 3.3),
    "wrong": (1.8, 1.5, 3.1),
    "garbled": (0.4, 0.4, 0.4),
    "empty": (0.6, 0.5, 2.0),
}


@dataclass(frozen=True, slots=True)
class Rated:
    """A user prompt, an answer part, how it was made, and its five targets."""

    prompt: str
    answer: str
    grade: Grade
    level: int
    targets: tuple[float, float, float, float, float]


def rated(rng: Random, grade: Grade | None = None) -> Rated:
    """A rated answer; half of them are right unless a grade is given."""
    item = problem(rng)
    drawn = grade or _drawn(rng)
    if item.code is not None and drawn not in CODE_GRADES:
        drawn = "near"
    text = spoiled(item, drawn, rng)
    text = text if rng.random() < 0.5 else text.strip("\n")
    complexity = min(4.0, 0.4 + 0.5 * item.level) if drawn not in ("garbled", "empty") else 0.3
    verbosity = min(4.0, len(text) / 50)
    return Rated(item.prompt, text, drawn, item.level, (*_QUALITY[drawn], complexity, verbosity))


def _drawn(rng: Random) -> Grade:
    return "right" if rng.random() < 0.45 else rng.choice(GRADES[1:])
