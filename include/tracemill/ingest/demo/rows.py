"""Writes the demo's files: JSON Lines made by a seeded generator, with the faults of `faults.CATCHES` planted in them.

Four parts: `maths`, `chinese`, `code`, and `mirror`, which repeats problems of `maths` as other data sets do.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

from tracemill.ingest.demo.chinese import CHINESE
from tracemill.ingest.demo.exercises import Exercise, exercises
from tracemill.ingest.demo.faults import badly_formatted, good
from tracemill.ingest.demo.leaks import BENCHMARK, leaked
from tracemill.ingest.demo.maths import MATHS
from tracemill.ingest.demo.tasks import FAMILIES, Task, task

Part = Literal["maths", "chinese", "code", "mirror"]
FORM = ("no_think", "bad_template", "blank_think", "blank_answer", "repetition", "truncated")

# How many rows of each kind; all other rows are right.
PLANTED: dict[Part, dict[str, int]] = {
    "maths": {
        **dict.fromkeys(FORM, 12),
        "wrong_maths": 110,
        "no_answer": 14,
        "unclear_gold": 10,
        "unverified": 16,
        "surplus": 60,
        "same_problem": 20,
        "contaminated_exact": 4,
        "contaminated_ngram": 4,
        "contaminated_alignment": 4,
        "malformed_json": 6,
        "bad_utf8": 4,
        "missing_column": 4,
        "null_problem": 4,
        "blank_problem": 4,
    },
    "chinese": {**dict.fromkeys(FORM, 4), "wrong_maths": 40, "surplus": 20, "malformed_json": 2},
    "code": {
        **dict.fromkeys(FORM, 4),
        "wrong_code": 40,
        "crashing_code": 8,
        "endless_code": 2,
        "unusable_tests": 6,
        "surplus": 20,
    },
    "mirror": {"exact_duplicate": 150, "near_duplicate": 120, "wrong_maths": 6},
}
ROWS: dict[Part, int] = {"maths": 1000, "chinese": 300, "code": 320, "mirror": 380}
BLOCK = 50  # rows; what one planted row refers to is in its block, so shards must hold whole blocks


@dataclass
class DemoRow:
    """One line to be written, and what was planted: `kind`, or "right"; `faulty` is the response that carries it."""

    kind: str
    value: dict[str, Any] = field(default_factory=dict)
    faulty: int | None = None
    line: bytes = b""


@lru_cache(maxsize=8)
def demo_rows(part: Part, seed: int) -> tuple[DemoRow, ...]:
    """All rows of one part, in file order; the same seed gives the same bytes."""
    rng = random.Random(f"{seed}/{part}")
    kinds = _kinds(part, rng)
    made = {"maths": _maths, "chinese": _chinese, "code": _code, "mirror": _mirror}[part](kinds, seed, rng)
    rows = list(made)
    for index, row in enumerate(rows):
        row.line = _line(row, index, rows)
    return tuple(rows)


def demo_file(part: Part, seed: int) -> bytes:
    """The part as one JSON Lines file."""
    return b"".join(row.line + b"\n" for row in demo_rows(part, seed))


def _kinds(part: Part, rng: random.Random) -> list[str]:
    kinds = [kind for kind, count in PLANTED[part].items() for _ in range(count)]
    kinds += ["right"] * (ROWS[part] - len(kinds))
    while True:
        rng.shuffle(kinds)
        if all(_has_original(kinds, index) for index, kind in enumerate(kinds) if kind == "same_problem"):
            return kinds


def _has_original(kinds: list[str], index: int) -> bool:
    return _original(kinds, index) is not None


def _original(kinds: list[str], index: int) -> int | None:
    """The nearest right row before `index` in its block."""
    return next((i for i in range(index - 1, index - index % BLOCK - 1, -1) if kinds[i] == "right"), None)


def _maths(kinds: list[str], seed: int, rng: random.Random) -> Iterator[DemoRow]:
    drawn = exercises(MATHS, random.Random(f"{seed}/exercises"), set())
    items = {kind: iter([item for item in BENCHMARK if item.leak == kind]) for kind in kinds}
    rows: list[DemoRow] = []
    for index, kind in enumerate(kinds):
        row = _exercise_row("m", index, kind, next(drawn))
        if kind.startswith("contaminated_"):
            item = next(items[kind])
            row.value.update(problem=leaked(item), answer=item.answer)
            row.value["responses"] = [_response(good(f"I recall this one: {item.answer}.", _boxed(item.answer)), True)]
        if kind == "same_problem":
            original = rows[_original(kinds, index) or 0]
            row.value.update(
                problem=original.value["problem"].swapcase().swapcase() + " ", answer=original.value["answer"]
            )
            row.value["responses"] = original.value["responses"]
        rows.append(row)
        yield row


def _chinese(kinds: list[str], seed: int, rng: random.Random) -> Iterator[DemoRow]:
    drawn = exercises(CHINESE, rng, set())
    for index, kind in enumerate(kinds):
        yield _exercise_row("c", index, kind, next(drawn), chinese=True)


def _mirror(kinds: list[str], seed: int, rng: random.Random) -> Iterator[DemoRow]:
    originals = [row for row in demo_rows("maths", seed) if row.kind == "right"]
    copied = iter(rng.sample(originals, len(originals)))
    fresh = exercises(MATHS, random.Random(f"{seed}/exercises"), set())
    new = islice(fresh, ROWS["maths"], None)
    for index, kind in enumerate(kinds):
        row = _exercise_row("x", index, kind, next(new))
        if kind in ("exact_duplicate", "near_duplicate"):
            original = next(copied).value
            restated = _respaced if kind == "exact_duplicate" else _reworded
            row.value.update(problem=restated(original["problem"]), answer=original["answer"], level=original["level"])
            row.value["responses"] = original["responses"]
        yield row


def _respaced(text: str) -> str:
    return text.replace(". ", ".\n").replace("?", "?  ").upper() if "$" not in text else text.replace(" ", "  ")


def _reworded(text: str) -> str:
    """The same question with the same numbers in slightly other words."""
    swaps = (("How many", "What number of"), ("What is", "Find"), ("Find", "Compute"), ("Compute", "Calculate"))
    for old, new in swaps:
        if old in text:
            return text.replace(old, new, 1)
    return f"{text.rstrip('.')} please."


def _exercise_row(letter: str, index: int, kind: str, exercise: Exercise, chinese: bool = False) -> DemoRow:
    think, answer = _solved(exercise, exercise.answer, chinese)
    responses = [_response(good(think, answer), True)]
    faulty: int | None = None
    if kind in FORM:
        text, finish = badly_formatted(kind, think, answer, index)
        responses = [*responses[: index % 2], _response(text, None, finish)]
    elif kind == "wrong_maths":
        responses = [*responses[: index % 2], _response(good(*_solved(exercise, exercise.wrong, chinese)), False)]
    elif kind == "no_answer":
        responses = [_response(good("I tried several ways and got lost.", "So the answer is $\\boxed{"), False)]
    elif kind == "surplus":
        responses.append(_response(good(f"{think} The check by estimation agrees.", answer), True))
    if kind in (*FORM, "wrong_maths", "no_answer", "unclear_gold", "unverified"):
        faulty = len(responses) - 1
    if kind in ("unclear_gold", "unverified"):
        responses[0]["correct"] = None
    golds = {"unclear_gold": "see the figure in the appendix", "unverified": None}
    return DemoRow(kind, _value(letter, index, exercise, golds.get(kind, exercise.answer), None, responses), faulty)


def _solved(exercise: Exercise, answer: str, chinese: bool) -> tuple[str, str]:
    if chinese:
        return (
            f"先列式：{exercise.working}。逐步计算，得到{answer}。代回题目检验，结果合理。",
            f"答案是$\\boxed{{{answer}}}$。",
        )
    return (
        f"Let me set it up: {exercise.working}. Working it out step by step gives {answer}. "
        "Putting that back into the question makes sense.",
        _boxed(answer),
    )


def _boxed(answer: str) -> str:
    return f"The answer is $\\boxed{{{answer}}}$."


def _code(kinds: list[str], seed: int, rng: random.Random) -> Iterator[DemoRow]:
    used: set[tuple[int, ...]] = set()
    for index, kind in enumerate(kinds):
        by_input = index % 3 == 2 or kind == "crashing_code"
        yield _task_row(index, kind, task(FAMILIES[index % len(FAMILIES)], rng, used, by_input=by_input))


def _task_row(index: int, kind: str, given: Task) -> DemoRow:
    programs: dict[str, Callable[[], str]] = {
        "wrong_code": lambda: given.wrong,
        "crashing_code": lambda: f"raise ValueError('no idea')\n{given.right}",
        "endless_code": lambda: f"while True:\n    pass\n{given.right}",
    }
    think = "The rule can be followed literally, one case after the other. Nothing needs to be sorted or stored."
    answer = _fenced(given.right)
    responses = [_response(good(think, answer), True)]
    faulty: int | None = None
    if kind in FORM:
        text, finish = badly_formatted(kind, think, answer, index)
        responses = [*responses[: index % 2], _response(text, None, finish)]
    elif kind in programs:
        responses = [*responses[: index % 2], _response(good(think, _fenced(programs[kind]())), False)]
    elif kind == "surplus":
        responses.append(_response(good(f"{think} A loop will do.", answer), True))
    if kind in (*FORM, *programs, "unusable_tests"):
        faulty = len(responses) - 1
    if kind == "unusable_tests":
        responses[0]["correct"] = None
    tests = {"checked_by": "a human"} if kind == "unusable_tests" else given.test_case
    return DemoRow(kind, _value("p", index, given, None, tests, responses), faulty)


def _fenced(program: str) -> str:
    return f"Here is the program:\n\n```python\n{program}\n```"


def _value(
    letter: str, index: int, item: Exercise | Task, gold: str | None, tests: dict[str, Any] | None, responses: list[Any]
) -> dict[str, Any]:
    return {
        "id": f"{letter}{index:04d}",
        "problem": item.prompt,
        "answer": gold,
        "tests": tests,
        "level": item.level,
        "responses": responses,
    }


def _response(text: str, correct: bool | None, finish: str = "stop") -> dict[str, Any]:
    return {"text": text, "finish_reason": finish, "correct": correct}


def _line(row: DemoRow, index: int, rows: list[DemoRow]) -> bytes:
    """The row as bytes, with the faults of a line."""
    value = dict(row.value)
    if row.kind == "missing_column":
        del value["problem"]
    elif row.kind == "null_problem":
        value["problem"] = None
    elif row.kind == "blank_problem":
        value["problem"] = " \n\t"
    line = json.dumps(value, ensure_ascii=False).encode()
    if row.kind == "malformed_json":
        return line[: len(line) // 2]
    return line.replace(b"problem", b"probl\xff\xfem", 1) if row.kind == "bad_utf8" else line
