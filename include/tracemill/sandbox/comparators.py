"""When a program's output counts as right: named rules, applied outside the sandbox, recorded per problem.

`exact`, `tokens`, `float`, `lcb`, `any_of`, `multiset` judge text; calls compare plain values, see `values_equal`.
A `checker` program (a special judge) runs in the sandbox itself; see judging.py.
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

# Only ASCII decimals are numbers: Python's own parsers also take full-width digits and underscores.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_CALL_TOLERANCE = 1e-9
# A program may print a number of any size: no operation may raise.
_ARITHMETIC = Context(prec=28, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

_KEY_BITS = 4096

_SIMPLE = {int, str, bool}

ComparatorName = Literal["exact", "tokens", "float", "lcb", "any_of", "multiset", "checker"]


class Compare(BaseModel):
    """Which rule judges an output.

    `exact`: equal bytes. `tokens`: equal after splitting at white space (Codeforces' default checker).
    `lcb`: LiveCodeBench's rule: stripped, as many lines, each line equal or equal as decimals, no tolerance.
    `float`: tokens, numbers within `rel` or `abs`. `multiset`: the same lines in any order. `any_of`: `lcb` against one
    of `answers` (one tuple per test) or the expected output. `checker`: the Python program `checker` is given the files
    input, output, answer as argv[1:4] and exits 0 for right.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ComparatorName = "lcb"
    rel: float = 1e-6
    abs: float = 1e-9
    answers: tuple[tuple[str, ...], ...] = ()
    checker: str = ""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Compare":
        if self.name == "checker" and not self.checker:
            raise ValueError("comparator 'checker' needs the program in `checker`")
        if self.name == "checker":
            try:
                ast.parse(self.checker)
            except (SyntaxError, RecursionError, MemoryError) as error:
                raise ValueError(f"the checker is not valid Python: {error}") from None
        if self.name == "any_of" and not self.answers:
            raise ValueError("comparator 'any_of' needs `answers`, one list per test")
        return self


def _number(token: str) -> Decimal | None:
    return Decimal(token) if _NUMBER.fullmatch(token) else None


def _decimals(line: str) -> list[Decimal] | None:
    numbers = [_number(token) for token in line.split()]
    return None if None in numbers else [number for number in numbers if number is not None]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _line_equal(got: str, expected: str) -> bool:
    if got == expected:
        return True
    numbers = _decimals(got)
    return numbers is not None and numbers == _decimals(expected)


def _lcb(got: str, expected: str) -> bool:
    ours, theirs = _lines(got), _lines(expected)
    return len(ours) == len(theirs) and all(map(_line_equal, ours, theirs))


def _close(got: str, expected: str, rel: float, absolute: float) -> bool:
    if got == expected:
        return True
    ours, theirs = _number(got), _number(expected)
    if ours is None or theirs is None:
        return False
    difference = _ARITHMETIC.abs(_ARITHMETIC.subtract(ours, theirs))
    allowed = _ARITHMETIC.multiply(Decimal(rel), _ARITHMETIC.abs(theirs))
    return difference <= Decimal(absolute) or difference <= allowed


def _float(got: str, expected: str, rel: float, absolute: float) -> bool:
    ours, theirs = got.split(), expected.split()
    return len(ours) == len(theirs) and all(_close(a, b, rel, absolute) for a, b in zip(ours, theirs, strict=True))


def output_right(compare: Compare, test: int, got: bytes, expected: str) -> bool:
    """Return whether the output `got` of test number `test` is right. Not for `checker`."""
    try:
        text = got.decode()
    except UnicodeDecodeError:
        return False
    if compare.name == "exact":
        return text == expected
    if compare.name == "tokens":
        return text.split() == expected.split()
    if compare.name == "float":
        return _float(text, expected, compare.rel, compare.abs)
    if compare.name == "multiset":
        return Counter(_lines(text)) == Counter(_lines(expected))
    answers: Sequence[str] = compare.answers[test] if compare.name == "any_of" and test < len(compare.answers) else ()
    return any(_lcb(text, answer) for answer in (expected, *answers))


def values_equal(got: Any, expected: Any) -> bool:
    """Return whether a call's plain value is the expected JSON value.

    Tuples are lists (LiveCodeBench), JSON's text keys match int keys, floats agree within 1e-9, sets match in any
    order, bool is no int, NaN equals nothing.
    """
    if type(got) is list and type(expected) is list and len(got) == len(expected):
        kinds = set(map(type, got))
        if kinds == set(map(type, expected)) and len(kinds) == 1 and kinds <= _SIMPLE:
            return got == expected
    if type(got) is bool or type(expected) is bool:
        return type(got) is type(expected) and got == expected
    if isinstance(got, (int, float)) and isinstance(expected, (int, float)):
        return _numbers_equal(got, expected)
    if isinstance(got, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(got) == len(expected) and all(map(values_equal, got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return _tables_equal(got, expected)
    if isinstance(got, (set, frozenset)) and isinstance(expected, (list, tuple, set, frozenset)):
        return len(got) == len(expected) and all(item in expected for item in got)
    return type(got) is type(expected) and bool(got == expected)


def _numbers_equal(got: float, expected: float) -> bool:
    if type(got) is int and type(expected) is int:
        return got == expected
    try:
        return math.isclose(got, expected, rel_tol=_CALL_TOLERANCE, abs_tol=_CALL_TOLERANCE)
    except OverflowError:
        return False


def _key_text(key: Any) -> str:
    """Return a key as JSON would write it; a number too long to be written as decimals keeps a form of its own."""
    if type(key) is int and key.bit_length() > _KEY_BITS:
        return hex(key)
    return key if type(key) is str else str(key)


def _tables_equal(got: dict[Any, Any], expected: dict[Any, Any]) -> bool:
    if len(got) != len(expected):
        return False
    by_text = {_key_text(key): value for key, value in expected.items()}
    for key, value in got.items():
        text = _key_text(key)
        if text not in by_text or not values_equal(value, by_text[text]):
            return False
    return True
