"""Training samples of the labeller and judge: a published prompt, filled, and the JSON it must answer.

The answers keep the prompts' own traps: the difficulty sometimes stays in the brackets of the template, and the
correctness object ends in the trailing comma that the published format prints.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Literal

from zoo.mistakes import CODE_GRADES, GRADES, Grade, spoiled
from zoo.problem import Kind
from zoo.problems import CHINESE_SHARE, problem
from zoo.queries import DIFFICULTIES, TO_SEVEN, query
from zoo.templates import fill, template

Task = Literal["difficulty", "category", "category_magpie", "correctness", "science"]
TASKS: tuple[Task, ...] = ("difficulty", "category", "category_magpie", "correctness", "science")
_WEIGHTS = (2, 1, 2, 5, 3)
_BRACKET_SHARE = 0.03
CORRECTNESS: dict[Grade, int] = {
    "right": 5, "unboxed": 4, "partial": 3, "near": 2, "wrong": 1, "garbled": 1, "empty": 1,
}  # fmt: skip
SCIENCE: dict[Grade, float] = {
    "right": 5.0, "unboxed": 4.5, "partial": 3.0, "near": 2.0, "wrong": 1.0, "garbled": 0.0, "empty": 0.0,
}  # fmt: skip
_WHY = {
    5: "the answer matches the reference",
    4: "the value is right but its form deviates",
    3: "the right value is given beside a wrong one",
    2: "the value is close to the reference but wrong",
    1: "the answer does not match the reference",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One prompt, its wanted reply, the label in it, and whether a reference answer was shown."""

    task: Task
    prompt: str
    reply: str
    label: str
    with_reference: bool = True


def judgement(rng: Random, task: Task | None = None) -> Judgement:
    """A sample of `task`, drawn by weight when not given."""
    task = task or rng.choices(TASKS, _WEIGHTS)[0]
    if task in ("correctness", "science"):
        return _graded(rng, task)
    item = query(rng)
    prompt = fill(template(task), input=item.text)
    if task == "difficulty":
        label = DIFFICULTIES[item.level - 1]
        shown = f"[{label}]" if rng.random() < _BRACKET_SHARE else label
        return Judgement(task, prompt, json.dumps({"difficulty": shown}), label)
    tags = [tag for tag in (item.tag, item.second) if tag]
    if task == "category":
        tags = list(dict.fromkeys(TO_SEVEN[tag] for tag in tags))
    return Judgement(task, prompt, json.dumps({"primary_tag": tags[0], "other_tags": tags[1:]}), tags[0])


def _graded(rng: Random, task: Task) -> Judgement:
    """Half of the answers are right; a reference is withheld only where the model could check the answer itself."""
    is_code = rng.random() < 0.15
    with_reference = is_code or rng.random() < 0.85
    level = rng.randint(1, 5) if with_reference else 1
    kind: Kind = "code" if is_code else rng.choice(("arithmetic", "equation", "story"))
    item = problem(rng, kind, level, "zh" if rng.random() < CHINESE_SHARE else "en")
    grade: Grade = "right" if rng.random() < 0.35 else rng.choice((CODE_GRADES if is_code else GRADES)[1:])
    reference = item.reference_answer or f"```python\n{item.code}\n```"
    prompt = fill(
        template(task),
        input_query=item.prompt,
        reference_answer=reference if with_reference else "",
        llm_answer=spoiled(item, grade, rng),
    )
    if task == "science":
        label = f"{SCIENCE[grade]:.1f}"
        return Judgement(task, prompt, f'{{"score": "{label}"}}', label, with_reference)
    score = CORRECTNESS[grade]
    reply = f'{{\n  "correctness": "{score}",\n}}\nJustification: {_WHY[score]}.'
    return Judgement(task, prompt, reply, str(score), with_reference)
