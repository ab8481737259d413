"""What a formula is worth where its letters have values: an exact fraction where that can be, else 50 digits.

Every step is bounded: what would be too large, or has no value, raises Undecided. A sum in which one part is lost
beside the other is Undecided too, so that two numbers never look equal because 50 digits are too few.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, cast

import mpmath

from tracemill.verify.math.answers.nodes import Node

DIGITS = 50
_EXACT_BITS = 40_000  # of a number that is kept exact: 4,000! has 42,000
_LARGEST = 10_000_000  # bits of the exponent's reach: 2^(2^23) and no more
_LOST = mpmath.mpf(10) ** -20
_ZERO = mpmath.mpf(10) ** -(DIGITS - 8)
_FACTORIAL = 3000
_SOME_BASE = mpmath.mpf("0.7368062997280773")  # of a logarithm whose base nobody names

FINER_DIGITS = 250
ALL_DIGITS = mpmath.mpf(10) ** -200

Number = Any  # Fraction, mpmath.mpf or mpmath.mpc: mpmath has no types
Letters = Mapping[str, Fraction]


class Undecided(Exception):
    """The formula has no value here, or none that can be had within bounds."""


context = mpmath.mp.clone()
context.dps = DIGITS


def finer() -> AbstractContextManager[Any]:
    """Within it values have 250 digits: two that agree in the first 30 by chance alone part there."""
    return cast("AbstractContextManager[Any]", context.workdps(FINER_DIGITS))


def value(node: Node, letters: Letters) -> Number:
    """The value at these letters. Raises Undecided."""
    try:
        return _value(node, letters)
    except (ZeroDivisionError, OverflowError, ValueError, RecursionError, mpmath.libmp.ComplexResult) as error:
        raise Undecided(str(error)) from error


def numeric(number: Number) -> Any:
    """As mpmath sees it."""
    if isinstance(number, Fraction):
        return context.mpf(number.numerator) / number.denominator
    return number


def _value(node: Node, letters: Letters) -> Number:
    op = node.op
    if op == "num":
        return node.value
    if op == "sym":
        return letters[node.name]
    if op in ("pi", "e", "i"):
        return {"pi": +context.pi, "e": +context.e, "i": context.mpc(0, 1)}[op]
    parts = [_value(part, letters) for part in node.args]
    if op == "call":
        return _unknown_function(node.name, parts[0])
    if op == "fn":
        return _function(node.name, parts)
    return _OPERATIONS[op](*parts)


def _unknown_function(name: str, argument: Number) -> Fraction:
    """A value of a function of which only the name is known: the same for the same name and argument alone."""
    shown = str(argument) if isinstance(argument, Fraction) else context.nstr(argument, 20)
    digest = hashlib.blake2b(f"{name}|{shown}".encode(), digest_size=4).digest()
    return Fraction(int.from_bytes(digest, "big") + 1, 1_000_003)


def _add(left: Number, right: Number) -> Number:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _bounded(left + right)
    left = numeric(left)
    right = numeric(right)
    large = max(abs(left), abs(right))
    small = min(abs(left), abs(right))
    total = left + right
    if small and small < large * _ZERO * 1000:
        raise Undecided("lost beside the other")
    if abs(total) < large * _ZERO:
        return Fraction(0)
    if abs(total) < large * _LOST:
        raise Undecided("too close to zero")
    return total


def _negated(number: Number) -> Number:
    return -number


def _subtract(left: Number, right: Number) -> Number:
    return _add(left, -right)


def _multiply(left: Number, right: Number) -> Number:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _bounded(left * right)
    return numeric(left) * numeric(right)


def _divide(left: Number, right: Number) -> Number:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _bounded(left / right)
    return numeric(left) / numeric(right)


def _bounded(number: Fraction) -> Fraction:
    if number.numerator.bit_length() + number.denominator.bit_length() > 4 * _EXACT_BITS:
        raise Undecided("too large")
    return number


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(exponent, Fraction) and isinstance(base, Fraction):
        if exponent.denominator == 1:
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if abs(exponent) * bits <= _EXACT_BITS:
                if not base and exponent <= 0:
                    raise Undecided("zero to a power that is not positive")
                return base ** int(exponent)
        elif exponent.denominator <= 12:
            return _power(_root(base, Fraction(exponent.denominator)), Fraction(exponent.numerator))
    base = numeric(base)
    exponent = numeric(exponent)
    if not base:
        raise Undecided("a power of zero")
    if abs(exponent) * (abs(context.log(abs(base))) + 4) > _LARGEST:
        raise Undecided("too large")
    return context.power(base, exponent)


def _root(radicand: Number, degree: Number) -> Number:
    if not isinstance(degree, Fraction) or degree.denominator != 1 or not 2 <= degree <= 1000:
        return _power(radicand, _divide(Fraction(1), degree))
    if isinstance(radicand, Fraction):
        exact = _exact_root(radicand, int(degree))
        if exact is not None:
            return exact
    if degree % 2 and not isinstance(radicand, context.mpc) and radicand < 0:
        return -context.root(numeric(-radicand), int(degree))
    return context.root(numeric(radicand), int(degree))


def _exact_root(number: Fraction, degree: int) -> Fraction | None:
    negative = number < 0
    if negative and degree % 2 == 0:
        return None
    parts = [_whole_root(abs(part), degree) for part in (number.numerator, number.denominator)]
    if None in parts:
        return None
    top, bottom = parts
    return Fraction(-(top or 0) if negative else top or 0, bottom or 1)


def _whole_root(number: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(number)
    elif number.bit_length() < 1000:  # a double's reach
        root = round(number ** (1 / degree))
    else:
        return None
    return next((one for one in (root - 1, root, root + 1) if one >= 0 and one**degree == number), None)


def _factorial(number: Number) -> Number:
    if isinstance(number, Fraction) and number.denominator == 1:
        if number < 0:
            raise Undecided("a factorial of a negative number")
        if number <= _FACTORIAL:
            return Fraction(math.factorial(int(number)))
    if abs(number) > 10**12:
        raise Undecided("too large")
    return context.gamma(numeric(number) + 1)


def _binomial(upper: Number, lower: Number) -> Number:
    whole = all(isinstance(one, Fraction) and one.denominator == 1 and 0 <= one <= _FACTORIAL for one in (upper, lower))
    if whole:
        return Fraction(math.comb(int(upper), int(lower)))
    return context.binomial(numeric(upper), numeric(lower))


def _absolute(number: Number) -> Number:
    return abs(number)


def _whole(number: Number, up: bool) -> Fraction:
    if isinstance(number, context.mpc) or abs(number) > 10**30:
        raise Undecided("no real number to round")
    return Fraction(math.ceil(number) if up else math.floor(number))


def _function(name: str, parts: list[Number]) -> Number:
    argument = numeric(parts[0])
    if name in (r"\sin", r"\cos", r"\tan", r"\cot", r"\sec", r"\csc", r"\exp", r"\sinh", r"\cosh", r"\tanh"):
        if abs(argument) > 10**6:
            raise Undecided("too large an angle")
        return _snapped(getattr(context, name[1:])(argument))
    if name in (r"\arcsin", r"\arccos", r"\arctan"):
        return _snapped(getattr(context, "a" + name[4:])(argument))
    if not argument:
        raise Undecided("a logarithm of zero")
    result = context.log(argument)
    if name == r"\lg":
        return result / context.log(10)
    if len(parts) == 2:
        return result / context.log(numeric(parts[1]))
    return result if name == r"\ln" else result * _SOME_BASE


def _snapped(number: Any) -> Number:
    """Zero where only rounding keeps it from zero."""
    return Fraction(0) if abs(number) < _ZERO else number


_OPERATIONS: dict[str, Any] = {
    "add": _add,
    "sub": _subtract,
    "neg": _negated,
    "mul": _multiply,
    "div": _divide,
    "pow": _power,
    "root": _root,
    "fact": _factorial,
    "binom": _binomial,
    "abs": _absolute,
    "floor": lambda number: _whole(number, up=False),
    "ceil": lambda number: _whole(number, up=True),
}
