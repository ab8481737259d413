"""Every generated problem: a pure function of a seed, a kind, a level and a language.

    python -m zoo.problems --count 200 --seed 7 > problems.jsonl

writes them as JSON lines (id, category, level, language, prompt, reference_answer, tests).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Annotated

import typer

from zoo.coding import code
from zoo.expressions import arithmetic, equation
from zoo.problem import KINDS, LEVELS, Kind, Language, Problem
from zoo.stories import story

TRAINING, HELD_OUT = "training", "held-out"
CHINESE_SHARE = 0.15
_BUILDERS = {"arithmetic": arithmetic, "equation": equation, "story": story, "code": code}


def problem(
    rng: Random, kind: Kind | None = None, level: int | None = None, language: Language | None = None
) -> Problem:
    """One problem; what is not given is drawn (kinds and levels evenly, Chinese with `CHINESE_SHARE`)."""
    build = _BUILDERS[kind or rng.choice(KINDS)]
    level = level or rng.choice(LEVELS)
    return build(rng, level, language or ("zh" if rng.random() < CHINESE_SHARE else "en"))


def is_held_out(prompt: str) -> bool:
    """Whether this prompt is kept for measuring: a tenth of all prompts, by content, so no seed can leak it."""
    return Random(f"split:{prompt}").random() < 0.1


def problems(seed: int, split: str = TRAINING) -> Iterator[Problem]:
    """An endless stream of problems of one split; the same seed gives the same stream on every machine."""
    rng = Random(f"zoo:{split}:{seed}")
    while True:
        candidate = problem(rng)
        if is_held_out(candidate.prompt) == (split == HELD_OUT):
            yield candidate


def main(
    count: Annotated[int, typer.Option(help="how many problems")] = 100,
    seed: Annotated[int, typer.Option(help="seed of the stream")] = 7,
    split: Annotated[str, typer.Option(help=f"{TRAINING} or {HELD_OUT}")] = HELD_OUT,
) -> None:
    """Write generated problems as JSON lines."""
    for number, item in zip(range(count), problems(seed, split), strict=False):
        row = {
            "id": f"zoo-{seed}-{number}",
            "category": "code" if item.kind == "code" else "math",
            "level": f"level {item.level}",
            "language": item.language,
            "prompt": item.prompt,
            "reference_answer": item.reference_answer,
            "tests": list(item.tests),
        }
        typer.echo(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(main)
