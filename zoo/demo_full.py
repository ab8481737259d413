"""The problems of the recipes `demo_full` and `evaluate_demo_full`: to learn from, and held out to be measured on.

    python -m zoo.demo_full var/demo_full

writes `problems.jsonl` and `held_out.jsonl` (id, level, prompt, reference_answer, category). All are equations, one
kind of the four, so that a training of minutes shows; no prompt stands there twice, and none of the first file is in
the second: which split a prompt is in its text decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from zoo.problem import Problem
from zoo.problems import HELD_OUT, TRAINING, problems

SEED = 41
FILES = {"problems.jsonl": (TRAINING, 3_000), "held_out.jsonl": (HELD_OUT, 300)}


def chosen(split: str) -> Iterator[Problem]:
    """An endless stream of that split's equations, each prompt once; a pure function of its name."""
    seen: set[str] = set()
    for item in problems(SEED, split):
        if item.kind == "equation" and item.prompt not in seen:
            seen.add(item.prompt)
            yield item


def write(folder: Path, files: Mapping[str, tuple[str, int]] = FILES) -> None:
    """Write the files, each so many problems of a split; each takes its place when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (split, count) in files.items():
        part = folder / f"{name}.part"
        lines = (_line(split, number, item) for number, item in enumerate(islice(chosen(split), count)))
        part.write_text("".join(lines), encoding="utf-8")
        part.replace(folder / name)


def _line(split: str, number: int, item: Problem) -> str:
    row = {
        "id": f"zoo-{split}-{number}",
        "level": f"level {item.level}",
        "prompt": item.prompt,
        "reference_answer": item.reference_answer,
        "category": "math",
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def main(folder: Annotated[Path, typer.Argument(help="Where the files are written.")]) -> None:
    """Write both files."""
    write(folder)


if __name__ == "__main__":
    typer.run(main)
