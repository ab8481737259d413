"""Training samples of the labeller and judge: a published prompt, filled, and the JSON it must answer.

A judge of maths answers thinks first (`zoo.comparison`): at this size it otherwise passes what it cannot compare.
The answers keep the prompts' own traps: the difficulty sometimes stays in the brackets of the template, and the
correctness object ends in the trailing comma that the published format prints.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Literal

from zoo import references
from zoo.comparison import comparison, value_of
from zoo.forgeries import forged
from zoo.mistakes import CODE_GRADES, GRADES, Grade, spoiled
from zoo.problem import Kind
from zoo.problems import CHINESE_SHARE, problem
from zoo.queries import DIFFICULTIES, TO_SEVEN, query
from zoo.templates import fill, lead

Task = Literal["difficulty", "category", "category_magpie", "correctness", "science"]
TASKS: tuple[Task, ...] = ("difficulty", "category", "category_magpie", "correctness", "science")
_WEIGHTS = (1, 1, 1, 6, 2)
_BRACKET_SHARE = 0.03
_FORGED_SHARE = 0.2  # of the graded answers; of the right ones a quarter of that
_OTHER_SHARE = 0.35  # of the maths answers: the reference is no whole number
# Near misses and wrong values are what a judge is for, and what it learns last: they are shown most.
_GRADE_WEIGHTS = (38, 8, 8, 20, 20, 3, 3)
_CODE_GRADE_WEIGHTS = (45, 30, 15, 5, 5)
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
    """One prompt, its wanted reply, the label in it, whether a reference was shown, and whether a program is judged."""

    task: Task
    prompt: str
    reply: str
    label: str
    with_reference: bool = True
    is_code: bool = False


def judgement(rng: Random, task: Task | None = None) -> Judgement:
    """A sample of `task`, drawn by weight when not given."""
    task = task or rng.choices(TASKS, _WEIGHTS)[0]
    if task in ("correctness", "science"):
        return _graded(rng, task)
    item = query(rng)
    prompt = fill(task, input=item.text)
    if task == "difficulty":
        label = DIFFICULTIES[item.level - 1]
        shown = f"[{label}]" if rng.random() < _BRACKET_SHARE else label
        return Judgement(task, prompt, json.dumps({"difficulty": shown}), label)
    tags = [tag for tag in (item.tag, item.second) if tag]
    if task == "category":
        tags = list(dict.fromkeys(TO_SEVEN[tag] for tag in tags))
    return Judgement(task, prompt, json.dumps({"primary_tag": tags[0], "other_tags": tags[1:]}), tags[0])


def _graded(rng: Random, task: Task) -> Judgement:
    """An answer of a drawn grade; a reference is withheld only where the model could check the answer itself."""
    is_code = rng.random() < 0.15
    with_reference = is_code or rng.random() < 0.85
    level = rng.randint(1, 5) if with_reference else 1
    kind: Kind = "code" if is_code else rng.choice(("arithmetic", "equation", "story"))
    item = problem(rng, kind, level, "zh" if rng.random() < CHINESE_SHARE else "en")
    if with_reference and not is_code and rng.random() < _OTHER_SHARE:
        item = references.unlike(item, rng)
        grade = rng.choices(references.GRADES, references.WEIGHTS)[0]
        given = references.spoiled_reference(item, grade, rng)
    else:
        grade = rng.choices(*((CODE_GRADES, _CODE_GRADE_WEIGHTS) if is_code else (GRADES, _GRADE_WEIGHTS)))[0]
        given = spoiled(item, grade, rng)
    reference = item.reference_answer or f"```python\n{item.code}\n```"
    shown = given
    if rng.random() < _FORGED_SHARE * (0.25 if grade == "right" else 1.0):
        shown = forged(given, task, value_of(given) or "the answer", rng)
    prompt = fill(task, input_query=item.prompt, reference_answer=reference if with_reference else "", llm_answer=shown)
    quoted = lead(task, "reference_answer")
    thought = "" if is_code else f"<think>{comparison(item, given, with_reference, quoted)}</think>\n"
    if task == "science":
        label = f"{SCIENCE[grade]:.1f}"
        return Judgement(task, prompt, f'{thought}{{"score": "{label}"}}', label, with_reference, is_code)
    score = CORRECTNESS[grade]
    reply = f'{thought}{{\n  "correctness": "{score}",\n}}\nJustification: {_WHY[score]}.'
    return Judgement(task, prompt, reply, str(score), with_reference, is_code)
