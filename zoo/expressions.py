"""Arithmetic and linear-equation problems in five levels, each with its written solution."""

from __future__ import annotations

from random import Random

from zoo.problem import Language, Problem, settle
from zoo.scratchpad import Pad

_ASK: dict[Language, tuple[str, ...]] = {
    "en": ("Compute {e}.", "What is {e}?", "Calculate {e}.", "Evaluate {e}.", "Find the value of {e}.", "{e} = ?"),
    "zh": ("计算 {e}。", "{e} 等于多少?", "求 {e} 的值。"),
}
_SOLVE: dict[Language, tuple[str, ...]] = {
    "en": ("Solve for x: {e}.", "Solve the equation {e}.", "Find x if {e}.", "If {e}, what is x?"),
    "zh": ("解方程 {e}。", "已知 {e}, 求 x。"),
}
_TIMES = ("*", "×", "\\times")


def arithmetic(rng: Random, level: int, language: Language) -> Problem:
    """A multi-step calculation: level 1 is one small sum, level 5 two long products or five operations."""
    pad = Pad()
    text, value = (_one_sum, _chain, _product_sum, _long_product, _two_products)[level - 1](rng, pad)
    text = text.replace("*", rng.choice(_TIMES))
    prompt = rng.choice(_ASK[language]).format(e=f"${text}$" if rng.random() < 0.15 else text)
    return settle("arithmetic", level, language, prompt, pad.working, pad.results, value)


def _one_sum(rng: Random, pad: Pad) -> tuple[str, int]:
    if rng.random() < 0.3:
        a, b = rng.randint(2, 9), rng.randint(2, 9)
        return f"{a} * {b}", pad.multiply(a, b)
    a, b = rng.randint(3, 99), rng.randint(3, 99)
    if rng.random() < 0.5:
        return f"{a} + {b}", pad.add(a, b)
    return f"{max(a, b)} - {min(a, b)}", pad.subtract(max(a, b), min(a, b))


def _chain(rng: Random, pad: Pad) -> tuple[str, int]:
    value = rng.randint(10, 99)
    text = str(value)
    for _ in range(rng.randint(2, 3)):
        term = rng.randint(3, 99)
        if rng.random() < 0.5 and value >= term:
            text, value = f"{text} - {term}", pad.subtract(value, term)
        else:
            text, value = f"{text} + {term}", pad.add(value, term)
    return text, value


def _product_sum(rng: Random, pad: Pad) -> tuple[str, int]:
    a, b, c = rng.randint(11, 99), rng.randint(2, 9), rng.randint(11, 99)
    if rng.random() < 0.4:
        d = rng.randint(3, 60)
        total = pad.add(a, d)
        return f"({a} + {d}) * {b}", pad.multiply(total, b)
    product = pad.multiply(a, b)
    if rng.random() < 0.5:
        return f"{a} * {b} + {c}", pad.add(product, c)
    return f"{a} * {b} - {c}", pad.subtract(product, c)


def _long_product(rng: Random, pad: Pad) -> tuple[str, int]:
    if rng.random() < 0.5:
        a, b, c = rng.randint(112, 989), rng.randint(2, 9), rng.randint(101, 999)
    else:
        a, b, c = rng.randint(12, 99), rng.randint(12, 99), rng.randint(11, 99)
    product = pad.multiply(a, b)
    if rng.random() < 0.5:
        return f"{a} * {b} + {c}", pad.add(product, c)
    return f"{a} * {b} - {c}", pad.subtract(product, c)


def _two_products(rng: Random, pad: Pad) -> tuple[str, int]:
    a, b, c, d = rng.randint(12, 99), rng.randint(12, 99), rng.randint(12, 99), rng.randint(3, 9)
    if rng.random() < 0.5:
        first, second = pad.multiply(a, b), pad.multiply(c, d)
        if rng.random() < 0.5:
            return f"{a} * {b} + {c} * {d}", pad.add(first, second)
        return f"{a} * {b} - {c} * {d}", pad.subtract(first, second)
    low, high = c, c + d
    left, right = pad.add(a, b), pad.subtract(high, low)
    return f"({a} + {b}) * ({high} - {low})", pad.multiply(left, right)


def equation(rng: Random, level: int, language: Language) -> Problem:
    """A linear equation in x with a whole solution: level 1 is one shift, level 5 has brackets and x on both sides."""
    x = rng.randint(2, 12) if level < 3 else rng.choice((-1, 1)) * rng.randint(2, 9 + 5 * (level - 2))
    pad = Pad()
    text = (_shift, _scale, _scale_shift, _both_sides, _brackets)[level - 1](rng, pad, x)
    prompt = rng.choice(_SOLVE[language]).format(e=f"${text}$" if rng.random() < 0.15 else text)
    return settle("equation", level, language, prompt, pad.working, pad.results, x, unknown="x")


def _shift(rng: Random, pad: Pad, x: int) -> str:
    x = abs(x)
    b = rng.randint(2, 40)
    pad.subtract(x + b, b)
    return f"x + {b} = {x + b}"


def _scale(rng: Random, pad: Pad, x: int) -> str:
    a = rng.randint(2, 9)
    if rng.random() < 0.4:
        pad.divide(a * x, a)
        return f"{a}x = {a * x}"
    b = rng.randint(1, 20)
    pad.subtract(a * x + b, b)
    pad.divide(a * x, a)
    return f"{a}x + {b} = {a * x + b}"


def _scale_shift(rng: Random, pad: Pad, x: int) -> str:
    a, b = rng.randint(2, 9), rng.choice((-1, 1)) * rng.randint(2, 60)
    total = a * x + b
    pad.subtract(total, b)
    pad.divide(a * x, a)
    return f"{_term(a)} {_signed(b)} = {total}"


def _both_sides(rng: Random, pad: Pad, x: int) -> str:
    a, c = rng.sample(range(2, 13), 2)
    a, c = max(a, c), min(a, c)
    b = rng.choice((-1, 1)) * rng.randint(2, 40)
    d = (a - c) * x + b
    pad.subtract(a, c)
    pad.subtract(d, b)
    pad.divide(d - b, a - c)
    return f"{_term(a)} {_signed(b)} = {_term(c)} {_signed(d)}"


def _brackets(rng: Random, pad: Pad, x: int) -> str:
    a, c = rng.sample(range(2, 10), 2)
    a, c = max(a, c), min(a, c)
    b = rng.choice((-1, 1)) * rng.randint(2, 15)
    d = (a - c) * x + a * b
    pad.multiply(a, b)
    pad.subtract(a, c)
    pad.subtract(d, a * b)
    pad.divide(d - a * b, a - c)
    return f"{a}(x {_signed(b)}) = {_term(c)} {_signed(d)}"


def _term(coefficient: int) -> str:
    return "x" if coefficient == 1 else f"{coefficient}x"


def _signed(number: int) -> str:
    return f"+ {number}" if number >= 0 else f"- {-number}"
