"""How many of 128 samples one of the zoo's models passes of 200 held-out problems: what evaluations are drawn from.

    python -m benchmarks.training.matrix    # goes on where it was stopped; writes matrix.jsonl beside this file

The first 64 samples are those of `benchmarks.grading.truth`, the other 64 are drawn with other seeds. An evaluation
takes some samples of an item, so that their number and that of the passes among them are all that counts.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from benchmarks.grading import truth
from benchmarks.resumable import resumed, whole_rows
from zoo.grading import is_right

MODEL = "teacher-small"
ITEMS = 200
SAMPLES = 2 * truth.SAMPLES
COUNTS = Path(__file__).with_name("matrix.jsonl")


def passed(path: Path = COUNTS) -> list[int]:
    """Of each item, how many of SAMPLES passed."""
    return [row["passed"] for row in whole_rows(path)]


def sample(path: Path = COUNTS) -> None:
    """Sample what is not there yet, a line an item: its number among the problems of `truth`, and its passes."""
    there = len(resumed(path))
    first = {one.number: one.passed for one in truth.known() if one.teacher == MODEL}
    teacher = truth.Teacher(MODEL)
    with path.open("a", encoding="utf-8") as file:
        for number, item in itertools.islice(enumerate(truth.posed()), there, ITEMS):
            more = sum(is_right(item, text) for text, _ in teacher.samples(truth.asked(item), "\nonce more"))
            file.write(json.dumps({"number": number, "passed": first[number] + more}) + "\n")
            file.flush()


if __name__ == "__main__":
    sample()
