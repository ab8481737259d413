"""When what a call returned is the expected value: compared outside the sandbox, on plain values only.

Tuples are lists (LiveCodeBench), JSON's text keys match int keys, a 1 or 0 stands for true or false (TACO's own tests
compare so) but true is no 1, floats agree within the rule's tolerance and whole numbers exactly, NaN equals nothing.
A set equals a set alone. No hash table is built of what a program returned.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from tracemill.sandbox.comparators import Compare

_KEY_BITS = 4096
_SIMPLE = {int, str}
_DEFAULT = Compare()


def value_right(compare: Compare, test: int, got: Any, expected: Any) -> bool:
    """Return whether `got` is the expected value of test number `test`, or another that the rule lists."""
    listed = compare.answers[test] if test < len(compare.answers) else ()
    return any(values_equal(got, answer, compare) for answer in (expected, *listed))


def values_equal(got: Any, expected: Any, compare: Compare = _DEFAULT) -> bool:
    """Return whether a call's plain value is the expected JSON value."""
    if compare.any_order and _is_many(got) and _is_many(expected):
        return _same_in_any_order(list(got), list(expected), compare)
    return _equal(got, expected, compare)


def _is_many(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset))


def _equal(got: Any, expected: Any, compare: Compare) -> bool:
    if type(got) is list and type(expected) is list and len(got) == len(expected):
        kinds = set(map(type, expected))
        if len(kinds) == 1 and kinds <= _SIMPLE and set(map(type, got)) == kinds and not compare.any_case:
            return bool(got == expected)
    if type(got) is bool or type(expected) is bool:
        return type(expected) is bool and type(got) in (bool, int) and got == expected
    if isinstance(got, (int, float)) and isinstance(expected, (int, float)):
        return _numbers_equal(got, expected, compare)
    if isinstance(got, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(got) == len(expected) and all(map(_with(compare), got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return _tables_equal(got, expected, compare)
    if isinstance(got, str) and isinstance(expected, str) and compare.any_case:
        return got.lower() == expected.lower()
    if isinstance(got, (set, frozenset)) and isinstance(expected, (set, frozenset)):
        return len(got) == len(expected) and all(item in expected for item in got)
    return type(got) is type(expected) and bool(got == expected)


def _with(compare: Compare) -> Callable[[Any, Any], bool]:
    return lambda got, expected: _equal(got, expected, compare)


def _same_in_any_order(got: list[Any], expected: list[Any], compare: Compare) -> bool:
    """Return whether both hold the same values; with "words" also each inner list in any order."""
    if len(got) != len(expected):
        return False
    inner = compare.any_order == "words"
    ours, theirs = (sorted((_sortable(item, inner) for item in items), key=_order) for items in (got, expected))
    return all(map(_with(compare), ours, theirs))


def _sortable(item: Any, inner: bool) -> Any:
    return sorted(item, key=_order) if inner and _is_many(item) else item


def _order(item: Any) -> tuple[str, str]:
    """Return what values are sorted by when their order is free: numbers by size, all else by how it is written."""
    if type(item) is int or type(item) is float:
        return "number", f"{float(item):+030.9f}" if abs(item) < 1e15 else _key_text(item)
    return type(item).__name__ if not isinstance(item, (list, tuple)) else "list", repr(item)


def _numbers_equal(got: float, expected: float, compare: Compare) -> bool:
    if type(got) is int and type(expected) is int and compare.name != "float":
        return got == expected
    try:
        if compare.name != "float" and float(got).is_integer() and float(expected).is_integer():
            return got == expected or math.isclose(got, expected, rel_tol=1e-15)
        return math.isclose(got, expected, rel_tol=compare.rel, abs_tol=compare.abs)
    except OverflowError:
        return False


def _key_text(key: Any) -> str:
    """Return a key as JSON would write it; a number too long to be written as decimals keeps a form of its own."""
    if type(key) is int and key.bit_length() > _KEY_BITS:
        return hex(key)
    return key if type(key) is str else str(key)


def _tables_equal(got: dict[Any, Any], expected: dict[Any, Any], compare: Compare) -> bool:
    if len(got) != len(expected):
        return False
    by_text = {_key_text(key): value for key, value in expected.items()}
    pairs: Sequence[tuple[Any, Any]] = [(_key_text(key), value) for key, value in got.items()]
    return all(key in by_text and _equal(value, by_text[key], compare) for key, value in pairs)
