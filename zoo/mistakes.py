"""Answers of known quality to a maths or code problem: right, slightly off, wrong or garbled.

Each `Grade` says what was done to the reference answer; the judge's scores (1-5 and 0-5) and the reward targets follow
from it by rule.
"""

from __future__ import annotations

from random import Random
from typing import Literal

from zoo.problem import Problem
from zoo.traces import answer

Grade = Literal["right", "unboxed", "partial", "near", "wrong", "garbled", "empty"]
GRADES: tuple[Grade, ...] = ("right", "unboxed", "partial", "near", "wrong", "garbled", "empty")
CODE_GRADES: tuple[Grade, ...] = ("right", "near", "wrong", "garbled", "empty")


def spoiled(problem: Problem, grade: Grade, rng: Random) -> str:
    """The answer part of a response to `problem` with the given grade."""
    if grade == "empty":
        return rng.choice(("", "I do not know.", "Sorry, I cannot answer."))
    if grade == "garbled":
        return _garbled(answer(problem), rng)
    if problem.code is not None:
        return answer(problem) if grade == "right" else _spoiled_code(problem.code, grade, rng)
    return _spoiled_value(problem, grade, rng)


def near_miss(value: int, rng: Random) -> int:
    """A number that differs from `value` by its sign, by a factor of ten, or in one digit."""
    draw = rng.random()
    if draw < 0.15 and value:
        return -value
    if draw < 0.3 and value:
        return value * 10
    digits = list(str(abs(value)))
    place = rng.randrange(len(digits))
    digits[place] = rng.choice([d for d in "123456789" if d != digits[place]])
    return int("".join(digits)) * (-1 if value < 0 else 1)


def unrelated(value: int, rng: Random) -> int:
    """A number of similar size that shares no digit position with `value` beyond chance."""
    while True:
        other = rng.randint(0, max(20, 3 * abs(value)))
        if other != value and str(other)[-1] != str(value)[-1]:
            return other


def _spoiled_value(problem: Problem, grade: Grade, rng: Random) -> str:
    text, right = answer(problem), str(problem.reference_answer)
    if grade == "right":
        return text if rng.random() < 0.8 else f"\\boxed{{{right}}}"
    head, _, tail = text.rpartition("\\boxed{")
    if grade == "unboxed":
        return f"{head}{right}.\n" if rng.random() < 0.5 else f"{head}\\boxed{{{right}.0}}.\n"
    value = int(right)
    if grade == "partial":
        return f"{head}\\boxed{{{right}}} or \\boxed{{{unrelated(value, rng)}}}.\n"
    other = near_miss(value, rng) if grade == "near" else unrelated(value, rng)
    lines = head.split("\n")
    if len(lines) > 2 and lines[-2].endswith(f"={right}") and rng.random() < 0.7:
        lines[-2] = lines[-2].removesuffix(right) + str(other)
    return "\n".join(lines) + f"\\boxed{{{other}" + tail[tail.index("}") :]


def _spoiled_code(code: str, grade: Grade, rng: Random) -> str:
    swaps = [("+", "-"), ("*", "+"), ("==", "!="), (">", "<"), ("sum", "len"), ("max", "min"), ("- ", "+ ")]
    present = [swap for swap in swaps if swap[0] in code]
    old, new = rng.choice(present) if present else ("return", "return -")
    changed = code.replace(old, new, 1)
    if grade == "wrong":
        name = code[4 : code.index("(")]
        changed = f"def {name}(a):\n    return {rng.randint(0, 9)}"
    return f"\n```python\n{changed}\n```\n"


def _garbled(text: str, rng: Random) -> str:
    words = [word for word in text.split(" ") if word and "boxed" not in word]
    rng.shuffle(words)
    if rng.random() < 0.5:
        return " ".join(words[:2] * rng.randint(2, 8))
    letters = list("".join(words))
    rng.shuffle(letters)
    return "".join(letters[:60])
