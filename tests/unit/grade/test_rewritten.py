"""A response of which a phrase was cut out, and what is left of it, are one sample of their model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.build.several import rows
from tracemill.engine.resources import Resources
from tracemill.local.run import Run
from tracemill.recipe import load_recipe

PHRASE = "as a model that likes to talk i will now think about all of this before i answer your question here "
RECIPE = """
name: cut_out
description: Each problem is answered three times, with the same words in front or behind.
sources:
  - {kind: jsonl, name: mine, path: mine.jsonl, teacher: t, category: math,
     columns: {prompt: q, reference_answer: a, response: r}}
steps:
  before: {kind: verify, defer: true, verifiers: [{kind: math}]}
  phrases: {kind: phrases}
  drop: {kind: drop_phrases, drop: string}
  verify: {kind: verify, verifiers: [{kind: math}]}
  grade: {kind: grade, turned_away: TURNED_AWAY}
"""


def graded(folder: Path, turned_away: str) -> list[dict[str, Any]]:
    """The grades of nine problems; the model is right in two of three samples."""
    texts = [f"<think>{PHRASE}so</think>", f"<think>so {PHRASE}</think>", f"<think>{PHRASE}hm</think>"]
    problems = [
        {"q": f"What is {k} plus 4?", "a": str(k + 4), "r": [f"{t}{k + 4 + (t == texts[2])}" for t in texts]}
        for k in range(9)
    ]
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in problems), encoding="utf-8")
    (folder / "r.yaml").write_text(RECIPE.replace("TURNED_AWAY", turned_away), encoding="utf-8")
    made = load_recipe(str(folder / "r.yaml"))
    run = Run(made, str(folder / "store"), Resources(workers=1), Console(quiet=True))
    run.go()
    assert len(rows(run, "drop", "generations")) == 27
    return rows(run, "grade", "grades")


@pytest.mark.parametrize("turned_away", ["undecided", "judged", "fail"])
def test_a_sample_counts_once_however_it_was_rewritten(tmp_path: Path, turned_away: str) -> None:
    grades = graded(tmp_path, turned_away)
    assert len(grades) == 9
    assert {(one["asked"], one["decided"], one["passed"]) for one in grades} == {(3, 3, 2)}
