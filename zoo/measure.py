"""Measures a trained model on held-out problems and writes `measured.json` and the model card beside its weights.

python -m zoo.measure teacher-large --per-cell 30
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from statistics import fmean
from typing import Annotated, Any

import torch
import typer

from zoo.cards import card
from zoo.generation import replies, scores
from zoo.grading import is_right, well_formed
from zoo.judging import TASKS, Judgement, judgement
from zoo.mistakes import GRADES, Grade, spoiled
from zoo.models import SPECS, Spec
from zoo.problem import KINDS, LEVELS, Problem
from zoo.problems import is_held_out, problem
from zoo.rewarding import ATTRIBUTES, Rated, rated
from zoo.traces import request

BUDGET = 320
TEMPERATURE = 0.6
_LABEL = {
    "difficulty": r'"difficulty": "\[?([a-z ]+)\]?"',
    "category": r'"primary_tag": "([^"]+)"',
    "category_magpie": r'"primary_tag": "([^"]+)"',
    "correctness": r'"correctness"\s*:\s*"?<?\s*([1-5](?:\.\d+)?)',
    "science": r'"score": "([0-9.]+)"',
}


def measure_teacher(spec: Spec, per_cell: int, seed: int) -> dict[str, Any]:
    """Share of right replies for each kind and level, sampled at temperature 0.6, with length figures."""
    rng = Random(f"measure:{seed}")
    cells = [(kind, level) for kind in KINDS for level in LEVELS for _ in range(per_cell)]
    items = [_held_out_problem(rng, kind, level) for kind, level in cells]
    texts = replies(spec.folder, [request(item, rng) for item in items], BUDGET, TEMPERATURE, seed)
    table: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for item, reply in zip(items, texts, strict=True):
        table[item.kind][item.level].append(is_right(item, reply.text))
    return {
        "right": {kind: {level: _share(rows) for level, rows in levels.items()} for kind, levels in table.items()},
        "right_by_level": {n: _share([ok for kind in KINDS for ok in table[kind][n]]) for n in LEVELS},
        "well_formed": _share([well_formed(reply.text) for reply in texts]),
        "truncated": _share([reply.truncated for reply in texts]),
        "mean_tokens": round(fmean(reply.tokens for reply in texts), 1),
        "longest_tokens": max(reply.tokens for reply in texts),
        "longer_than": {size: _share([reply.tokens > size for reply in texts]) for size in (96, 128, 160)},
        "replies": len(texts),
        "budget": BUDGET,
        "temperature": TEMPERATURE,
    }


def measure_judge(spec: Spec, per_cell: int, seed: int) -> dict[str, Any]:
    """Share of replies that parse and that carry the right label, greedy, for each prompt."""
    rng = Random(f"measure:{seed}")
    items = [item for task in TASKS for item in _held_out_judgements(rng, task, 4 * per_cell)]
    texts = replies(spec.folder, [[{"role": "user", "content": item.prompt}] for item in items], 256, 0.0, seed)
    labels = [_label(item, reply.text) for item, reply in zip(items, texts, strict=True)]
    result: dict[str, Any] = {"replies": len(items), "tasks": {}}
    for task in TASKS:
        rows = [(item, label) for item, label in zip(items, labels, strict=True) if item.task == task]
        result["tasks"][task] = {
            "parsed": _share([label is not None for _, label in rows]),
            "right": _share([item.label == label for item, label in rows]),
        }
    graded = [(i, label) for i, label in zip(items, labels, strict=True) if i.task == "correctness"]
    result["pass_at_4"] = _share(
        [label is not None and (float(label) >= 4) == (float(i.label) >= 4) for i, label in graded]
    )
    maths = [(i, label) for i, label in graded if not i.is_code and i.with_reference]
    wrong = [label for i, label in maths if i.label != "5"]
    result["maths_pass_at_5"] = _share([(label == "5") == (i.label == "5") for i, label in maths])
    result["maths_false_passes"] = _share([label == "5" for label in wrong])
    for known, name in ((True, "with_reference"), (False, "without_reference")):
        result[name] = _share([i.label == label for i, label in graded if i.with_reference == known])
    return result


def measure_reward(spec: Spec, per_cell: int, seed: int) -> dict[str, Any]:
    """Mean absolute error of each attribute, and how often a right answer outscores a spoiled one."""
    rng = Random(f"measure:{seed}")
    items = list(_held_out_ratings(rng, 20 * per_cell))
    found = scores(spec.folder, [_chat(item.prompt, item.answer) for item in items])
    errors = {
        name: round(fmean(abs(row[i] - item.targets[i]) for row, item in zip(found, items, strict=True)), 3)
        for i, name in enumerate(ATTRIBUTES)
    }
    pairs: dict[str, list[bool]] = defaultdict(list)
    for grade in ("near", "wrong", "garbled", "empty"):
        for level in LEVELS:
            pairs[f"{grade} {level}"] = _outscores(spec, rng, grade, level, per_cell)
    return {
        "answers": len(items),
        "mean_absolute_error": errors,
        "constant_guess_error": _spread(items),
        "right_beats": {
            grade: {level: _share(pairs[f"{grade} {level}"]) for level in LEVELS}
            for grade in ("near", "wrong", "garbled", "empty")
        },
    }


def _outscores(spec: Spec, rng: Random, grade: Grade, level: int, count: int) -> list[bool]:
    items = [_held_out_problem(rng, rng.choice(KINDS), level) for _ in range(count)]
    assert grade in GRADES
    chats = [_chat(item.prompt, spoiled(item, kind, rng)) for item in items for kind in ("right", grade)]
    rows = [sum(row[:3]) for row in scores(spec.folder, chats)]
    return [rows[i] > rows[i + 1] for i in range(0, len(rows), 2)]


def _spread(items: list[Rated]) -> dict[str, float]:
    means = [fmean(item.targets[i] for item in items) for i in range(len(ATTRIBUTES))]
    return {
        name: round(fmean(abs(item.targets[i] - means[i]) for item in items), 3) for i, name in enumerate(ATTRIBUTES)
    }


def _held_out_problem(rng: Random, kind: Any, level: int) -> Problem:
    while not is_held_out((item := problem(rng, kind, level)).prompt):
        pass
    return item


def _held_out_judgements(rng: Random, task: Any, count: int) -> Iterator[Judgement]:
    found = 0
    while found < count:
        if is_held_out((item := judgement(rng, task)).prompt):
            found += 1
            yield item


def _held_out_ratings(rng: Random, count: int) -> Iterator[Rated]:
    found = 0
    while found < count:
        if is_held_out((item := rated(rng)).prompt):
            found += 1
            yield item


def _chat(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def _label(item: Judgement, text: str) -> str | None:
    found = re.search(_LABEL[item.task], text)
    return found[1] if found else None


def _share(rows: list[bool]) -> float:
    return round(sum(rows) / len(rows), 3) if rows else 0.0


def main(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(SPECS)}")],
    per_cell: Annotated[int, typer.Option(help="held-out problems for each kind and level")] = 30,
    seed: Annotated[int, typer.Option(help="seed of the problems and of the sampling")] = 99,
) -> None:
    """Measure one model and write its card."""
    if name not in SPECS:
        raise typer.BadParameter(f"unknown model {name!r}; known: {', '.join(SPECS)}")
    torch.set_num_threads(1)
    spec = SPECS[name]
    run = {"teacher": measure_teacher, "judge": measure_judge, "reward": measure_reward}[spec.role]
    result = json.loads(json.dumps({"seed": seed, "per_cell": per_cell, **run(spec, per_cell, seed)}))
    (spec.folder / "measured.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    training = json.loads((spec.folder / "training.json").read_text(encoding="utf-8"))
    (spec.folder / "README.md").write_text(card(spec, training, result), encoding="utf-8")
    typer.echo(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
