"""The demo's programming tasks: a text, tests whose expected values are computed, and a right and a wrong program."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tracemill.ingest.demo.exercises import numbers

Sample = Callable[[random.Random], Any]
Expected = Callable[[int, int, int, Any], Any]
TESTS = 5


@dataclass(frozen=True)
class TaskFamily:
    """Tasks of one kind. `body` and `wrong` are the lines of a function of `argument`; `solve` computes the tests."""

    name: str
    level: str
    text: str
    argument: str
    body: str
    wrong: str
    sample: Sample
    solve: Expected


@dataclass(frozen=True)
class Task:
    """One programming problem with its test case and programs."""

    level: str
    prompt: str
    entry: str
    test_case: dict[str, Any]
    right: str
    wrong: str


def _integers(rng: random.Random) -> list[int]:
    return [rng.randrange(0, 200) for _ in range(rng.randrange(4, 12))]


def _words(rng: random.Random) -> str:
    return "".join(rng.choice("abcxyzABCXYZ 0189") for _ in range(rng.randrange(6, 16)))


def _count(rng: random.Random) -> int:
    return rng.randrange(2, 40)


def _shift(text: str, lower: int, upper: int, digits: int) -> str:
    out = []
    for ch in text:
        if ch.islower():
            out.append(chr((ord(ch) - 97 + lower) % 26 + 97))
        elif ch.isupper():
            out.append(chr((ord(ch) - 65 + upper) % 26 + 65))
        else:
            out.append(str((int(ch) + digits) % 10) if ch.isdigit() else ch)
    return "".join(out)


def _recurrence(first: int, second: int, modulus: int, count: int) -> int:
    for _ in range(count - 1):
        first, second = second, (first + second) % modulus
    return first


def _affine(factor: int, step: int, modulus: int, count: int) -> int:
    value = 1
    for _ in range(count):
        value = (value * factor + step) % modulus
    return value


FAMILIES: tuple[TaskFamily, ...] = (
    TaskFamily(
        "count_matching",
        "easy",
        "returns how many integers of the list `numbers` are greater than {a}, or smaller than {b}, or equal to {c}. "
        "Every "
        "entry counts once at most.",
        "numbers",
        "return sum(1 for n in numbers if n > {a} or n < {b} or n == {c})",
        "return sum(1 for n in numbers if n > {a} or n <= {b}) + 1",
        _integers,
        lambda a, b, c, given: sum(1 for n in given if n > a or n < b or n == c),
    ),
    TaskFamily(
        "shift_text",
        "medium",
        "moves each lower-case letter of `text` {a} places forward in the alphabet, each upper-case letter {b} "
        "places and "
        "each digit {c} places, wrapping around within its own kind, and leaves all other characters alone.",
        "text",
        "out = []\nfor ch in text:\n    if ch.islower():\n        out.append(chr((ord(ch) - 97 + {a}) % 26 + 97))\n"
        "    elif ch.isupper():\n        out.append(chr((ord(ch) - 65 + {b}) % 26 + 65))\n    elif ch.isdigit():\n"
        '        out.append(str((int(ch) + {c}) % 10))\n    else:\n        out.append(ch)\nreturn "".join(out)',
        'return "".join(chr(ord(ch) + {a}) for ch in text)',
        _words,
        lambda a, b, c, given: _shift(given, a, b, c),
    ),
    TaskFamily(
        "evaluate_quadratic",
        "easy",
        "returns the list of the values of the polynomial {a}x^2 - {b}x + {c} at each integer x of the list `points`.",
        "points",
        "return [{a} * x * x - {b} * x + {c} for x in points]",
        "return [{a} * x * x + {b} * x + {c} for x in points] + [0]",
        _integers,
        lambda a, b, c, given: [a * x * x - b * x + c for x in given],
    ),
    TaskFamily(
        "pair_recurrence",
        "medium",
        "returns element number `count` (counting from 1) of the sequence that starts with {a} and {b}, where each "
        "later "
        "element is the sum of the two before it modulo {c}.",
        "count",
        "first, second = {a}, {b}\nfor _ in range(count - 1):\n    first, second = second, (first + second) % {c}\n"
        "return first",
        "first, second = {a}, {b}\nfor _ in range(count):\n    first, second = second, first + second\nreturn first "
        "+ 1",
        _count,
        lambda a, b, c, given: _recurrence(a, b, c, given),
    ),
    TaskFamily(
        "clamped_total",
        "easy",
        "returns the sum of the list `readings` after every reading below {a} was raised to {a} and every reading "
        "above "
        "1{b} was lowered to 1{b}, plus a fixed fee of {c}.",
        "readings",
        "return sum(min(max(r, {a}), 100 + {b}) for r in readings) + {c}",
        "return sum(max(r, {a}) for r in readings)",
        _integers,
        lambda a, b, c, given: sum(min(max(r, a), 100 + b) for r in given) + c,
    ),
    TaskFamily(
        "machine_state",
        "hard",
        "simulates a counter that starts at 1 and, `count` times, is multiplied by {a}, increased by {b} and reduced "
        "modulo "
        "{c}; it returns the final value.",
        "count",
        "value = 1\nfor _ in range(count):\n    value = (value * {a} + {b}) % {c}\nreturn value",
        "value = 1\nfor _ in range(count):\n    value = value * {a} + {b}\nreturn value",
        _count,
        lambda a, b, c, given: _affine(a, b, c, given),
    ),
    TaskFamily(
        "label_scores",
        "easy",
        "turns each score of the list `scores` into a word: 'plum' when the score is a multiple of {a}, else 'fig' "
        "when it "
        "is a multiple of {b}, else 'lime' when it is above {c}, and 'none' otherwise; it returns the list of words.",
        "scores",
        "return ['plum' if s % {a} == 0 else 'fig' if s % {b} == 0 else 'lime' if s > {c} else 'none' for s in scores]",
        "return ['plum' if s % {a} == 0 else 'lime' for s in scores] + ['none']",
        _integers,
        lambda a, b, c, given: [
            "plum" if s % a == 0 else "fig" if s % b == 0 else "lime" if s > c else "none" for s in given
        ],
    ),
)


def task(family: TaskFamily, rng: random.Random, used: set[tuple[int, ...]], *, by_input: bool) -> Task:
    """A fresh task of that kind: a function with a pytest file, or `by_input` a program with inputs and outputs."""
    a, b, c = abc = numbers(rng, used)
    entry = f"{family.name}_{a}"
    text = family.text.format(a=a, b=b, c=c)
    samples = [family.sample(rng) for _ in range(TESTS)]
    pairs = [(given, family.solve(a, b, c, given)) for given in samples]
    right, wrong = (_function(entry, family.argument, body, abc) for body in (family.body, family.wrong))
    if by_input:
        lines = ("from json import dumps, loads", f"print(dumps({entry}(loads(input()))))")
        return Task(
            level=family.level,
            prompt=f"Write a Python program that reads one line of JSON, `{family.argument}`, from standard input. "
            f"It {text} "
            "Print the result as one line of JSON.",
            entry=entry,
            test_case={
                "inputs": [json.dumps(given) for given, _ in pairs],
                "outputs": [json.dumps(out) for _, out in pairs],
            },
            right=f"{lines[0]}\n\n\n{right}\n\n{lines[1]}",
            wrong=f"{lines[0]}\n\n\n{wrong}\n\n{lines[1]}",
        )
    return Task(
        level=family.level,
        prompt=f"Write a Python function `{entry}({family.argument})` that {text}",
        entry=entry,
        test_case={"test_code": _pytest(entry, pairs), "test_entry_point": entry},
        right=right,
        wrong=wrong,
    )


def _function(entry: str, argument: str, body: str, abc: tuple[int, int, int]) -> str:
    a, b, c = abc
    lines = body.format(a=a, b=b, c=c).splitlines()
    return "\n".join([f"def {entry}({argument}):", *(f"    {line}" for line in lines)])


def _pytest(entry: str, pairs: list[tuple[Any, Any]]) -> str:
    tests = [
        f"def test_case_{i}():\n    assert {entry}({given!r}) == {expected!r}\n"
        for i, (given, expected) in enumerate(pairs, start=1)
    ]
    return "\n\n".join([f"from solution import {entry}\n", *tests])
