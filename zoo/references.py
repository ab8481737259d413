"""Reference answers that no generated problem has: fractions, pairs, roots, words, under any query.

A judge that was only shown whole numbers passed three of four wrong answers to problems whose reference was a fraction.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from zoo.mistakes import Grade, unrelated
from zoo.problem import Problem
from zoo.queries import query
from zoo.traces import answer

GRADES: tuple[Grade, ...] = ("right", "near", "wrong", "unboxed")
WEIGHTS = (45, 20, 30, 5)
_WORDS = ("yes", "no", "north", "Alice", "even", "true", "none", "x", "increasing", "五", "星期三", "增加")
_UNITS = ("apples", "km", "cm^2", "days", "dollars", "%", "\\%", "元", "个")


def other_reference(rng: Random) -> str:
    """A short answer that is no whole number; digits are drawn anew each time."""
    a, b = rng.randint(1, 999), rng.randint(2, 99)
    sign = "-" if rng.random() < 0.15 else ""
    forms = (
        *(f"{sign}\\frac{{{a}}}{{{b}}}", f"{sign}\\frac{{{b}}}{{{a}}}", f"\\dfrac{{{a}}}{{{b}}}", f"{sign}{a}/{b}"),
        *(f"{sign}{a}.{b}", f"({sign}{a}, {b})", f"[{b}, {a}]", f"{b}, {a}", f"{a}:{b}"),
        *(f"{sign}{b}\\sqrt{{{a}}}", f"{b}x+{a}", f"{b}\\pi", f"2^{{{b}}}", f"x={a}"),
        *(rng.choice(_WORDS), f"\\text{{{rng.choice(_WORDS)}}}", f"{a} {rng.choice(_UNITS)}", f"about {a}"),
    )
    return rng.choice(forms)


def unlike(item: Problem, rng: Random) -> Problem:
    """`item` with another reference and, half of the time, another query: the query does not decide what is equal."""
    prompt = query(rng).text if rng.random() < 0.5 else item.prompt
    return replace(item, prompt=prompt, reference_answer=other_reference(rng))


def spoiled_reference(item: Problem, grade: Grade, rng: Random) -> str:
    """The answer part of a response to a problem made by `unlike`, of one of GRADES."""
    right, text = str(item.reference_answer), answer(item)
    head = text.rpartition("\\boxed{")[0]
    if grade == "right":
        return text
    if grade == "unboxed":
        return f"{head}{right}.\n"
    return f"{head}\\boxed{{{_near(right, rng) if grade == 'near' else _wrong(item, rng)}}}.\n"


def _near(right: str, rng: Random) -> str:
    """One digit changed; of a word, one letter left out."""
    places = [place for place, letter in enumerate(right) if letter.isdigit()]
    if not places:
        return right[:-1] or "?"
    place = rng.choice(places)
    return right[:place] + rng.choice([d for d in "0123456789" if d != right[place]]) + right[place + 1 :]


def _wrong(item: Problem, rng: Random) -> str:
    """A whole number such as the small teachers write, or another value; never the reference."""
    while True:
        other = str(unrelated(rng.randint(0, 999), rng)) if rng.random() < 0.6 else other_reference(rng)
        if other != item.reference_answer:
            return other
