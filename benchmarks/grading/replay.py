"""Replays published samples through sampling rules that stop only where the rest cannot change the outcome.

What they find must be what all samples give. The samples are public, with their labels, below TRACEMILL_DATA; those of
HumanEval are run in the sandbox.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.verdicts.humaneval import questions
from tracemill.distill.groups import Group
from tracemill.distill.policies import UntilPass
from tracemill.distill.policy import Outcome, Rule
from tracemill.engine.resources import Resources
from tracemill.verify.human_eval import DirectVerifier
from tracemill.verify.math.verifier import MathVerifier

Labels = list[list[Outcome]]  # by problem and sample
_GSM8K = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
_ORDERS = 5  # orders of arrival in which every problem is replayed


class UntilMixed:
    """Ends a problem that has passed and failed: whatever comes, it is neither never nor always solved."""

    def ends(self, outcomes: Sequence[Outcome]) -> bool:
        """Once both were seen."""
        return {"pass", "fail"} <= set(outcomes)

    def wave(self, outcomes: Sequence[Outcome]) -> int:
        """One after the other."""
        return 1


def figures() -> dict[str, float | int]:
    """Problems with another outcome than all samples give, and the share of samples saved, by source and rule."""
    folder = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"))
    if not folder.is_dir():
        print("no public samples: set TRACEMILL_DATA to their folder")
        return {}
    found: dict[str, float | int] = {"curtailed_set_difference": 0}
    for source, labels in {**published(folder), "humaneval": _human_eval()}.items():
        samples = sum(map(len, labels))
        until_pass = UntilPass(max=64, verifiers=(MathVerifier(),))
        for rule, name in ((until_pass, "solved"), (UntilMixed(), "graded")):
            drawn = [_drawn(one, rule, seed=n) for n, one in enumerate(labels)]
            different = sum(_kind(one[:n], name) != _kind(one, name) for one, n in zip(labels, drawn, strict=True))
            found["curtailed_set_difference"] += different
            found[f"curtailed_saves_{name}_{source}"] = 1 - sum(drawn) / samples
        print(source, len(labels), "problems by how many samples passed:", np.bincount(_passed(labels)).tolist())
    return found


def published(folder: Path) -> dict[str, Labels]:
    """The labels of the sources that come with them."""
    gsm8k = [[row[name]["is_correct"] for name in _GSM8K] for row in rows_of(folder / "gsm8k_model_solutions.jsonl")]
    maths = [row["score"] for row in rows_of(folder / "math_cot_100x8.jsonl")]
    named = {"gsm8k": gsm8k, "math": maths}
    return {name: [[_outcome(one) for one in row] for row in rows] for name, rows in named.items()}


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _human_eval() -> Labels:
    asked = list(questions())
    status = {verdict.generation_id: verdict.status for verdict in DirectVerifier().judge(asked, Resources())}
    problems = dict.fromkeys(question.problem_id for question in asked)
    return [[status[one.generation_id] for one in asked if one.problem_id == name] for name in problems]


def _outcome(right: bool) -> Outcome:
    return "pass" if right else "fail"


def _drawn(outcomes: list[Outcome], rule: Rule, seed: int) -> int:
    """How many samples count; the same whatever order their answers come in."""
    chance = np.random.default_rng(seed)
    counted = {_replayed(outcomes, rule, chance.permutation(len(outcomes))) for _ in range(_ORDERS)}
    if len(counted) > 1:
        raise SystemExit(f"the order of arrival changes what counts: {sorted(counted)}")
    return counted.pop()


def _replayed(outcomes: list[Outcome], rule: Rule, order: Sequence[int]) -> int:
    group = Group(None, None, rule, len(outcomes), judged=True)  # type: ignore[arg-type]  # nobody is asked
    for place in order:
        group.note(int(place), outcomes[place])
    return len(group.rows)


def _kind(outcomes: Sequence[Outcome], rule: str) -> tuple[bool, bool]:
    """Whether any sample passed, and, where problems are graded, whether any did not."""
    return "pass" in outcomes, rule == "graded" and "fail" in outcomes


def _passed(labels: Labels) -> list[int]:
    return [list(chain(row)).count("pass") for row in labels]
