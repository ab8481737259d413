"""When a program's output counts as right: named rules, applied outside the sandbox, recorded per problem.

The rules for what a call returns are in values.py; a `checker` program (a special judge) runs in the sandbox itself,
see checker.py. Work is bounded by what is expected: an output longer than a right one can be is not even split, and
numbers are compared while a budget lasts.
"""

import ast
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.errors import TracemillError

# Only ASCII decimals are numbers: Python's own parsers also take full-width digits and underscores.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_SIGNS = "+-"
_EXACT_FROM = 1e9  # beyond it a float does not hold a millionth: equal decimals only
_WHOLE_BELOW = 2.0**53
_COMPARISONS = 1_000_000  # numbers that may be compared for one program: about one CPU second
_ROOM_PER_WORD = 128  # bytes that a number may be printed with, for one that is expected
_ROOM = 64 << 10

ComparatorName = Literal["lines", "exact", "tokens", "float", "lcb", "any_of", "multiset", "checker"]
CheckerFile = Literal["input", "output", "answer"]


class SuiteError(TracemillError):
    """A row's tests cannot be used as written: a fault of the data, so the row is unverifiable, never wrong."""

    cause: ClassVar[str] = "bad_tests"  # the word for tables


class Compare(BaseModel):
    """Which rule judges an output; the JSON of the column `comparison`, see docs/design/verification.md.

    `lines` (default): the same lines; numbers printed with a decimal point agree within `rel` or `abs`, integers
    exactly. `exact`: equal text. `tokens`: equal words, wherever lines end (Codeforces' default checker). `float`: the
    same words, any number within `rel` or `abs`. `lcb`: LiveCodeBench's rule, no tolerance. `multiset`: `lines` in any
    order. `any_of`: `lines`, against one of `answers` (one list per test) or the expected output. `checker`: program
    `checker` in `language` is given the files `arguments`; it says right by exit status 0, or by printing a positive
    score, as `says` tells.
    `any_case`: letters in either case. `any_order`: the `lines`, or the `words` of each line, in any order.
    `several`: other answers are right too, and nobody lists them: a mismatch shows nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ComparatorName = "lines"
    rel: float = Field(default=1e-6, ge=0, le=1)
    abs: float = Field(default=1e-6, ge=0)
    any_case: bool = False
    any_order: Literal["lines", "words"] | None = None
    several: bool = False
    answers: tuple[tuple[Any, ...], ...] = ()
    checker: str = ""
    language: str = "python"
    arguments: tuple[CheckerFile, ...] = ("input", "output", "answer")
    says: Literal["exit", "score"] = "exit"

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Compare":
        if self.name == "checker" and not self.checker.strip():
            raise ValueError("comparator 'checker' needs the program in `checker`")
        if self.name == "checker" and self.language == "python":
            try:
                ast.parse(self.checker)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                raise ValueError(f"the checker is not valid Python: {error}") from None
        if self.name == "any_of" and not self.answers:
            raise ValueError("comparator 'any_of' needs `answers`, one list per test")
        return self


def words_in(text: str) -> int:
    """Return how many words `text` can have, counted without splitting it."""
    return 1 + text.count(" ") + text.count("\n") + text.count("\t")


class Comparer:
    """Judges the outputs of one program by one rule, within one budget."""

    def __init__(self, compare: Compare) -> None:
        self._compare = compare
        self._left = _COMPARISONS

    def room(self, test: int, expected: str) -> int:
        """Return how many bytes a right output of test number `test` can have."""
        longest = max(self._answers(test, expected), key=len)
        if self._compare.name == "exact":
            return 4 * len(longest) + 1
        return 4 * len(longest) + _ROOM_PER_WORD * words_in(longest) + _ROOM

    def right(self, test: int, got: bytes, expected: str) -> bool:
        """Return whether the output `got` is right. Not for `checker`. Raises SuiteError when the budget is spent."""
        if len(got) > self.room(test, expected):
            return False
        try:
            text = got.decode()
        except UnicodeDecodeError:
            return False
        return any(self._matches(text, answer) for answer in self._answers(test, expected))

    def _answers(self, test: int, expected: str) -> Sequence[str]:
        listed = self._compare.answers[test] if test < len(self._compare.answers) else ()
        return (expected, *(answer for answer in listed if isinstance(answer, str)))

    def _matches(self, got: str, expected: str) -> bool:
        rule = self._compare
        if rule.any_case:
            got = got.lower()
            expected = expected.lower()
        if got == expected:
            return True
        if rule.name == "exact":
            return False
        if rule.name in ("tokens", "float"):
            same = self._near if rule.name == "float" else str.__eq__
            return _all_same(got.split(), expected.split(), same)
        return self._same_lines(_lines(got), _lines(expected))

    def _same_lines(self, got: list[str], expected: list[str]) -> bool:
        if len(got) != len(expected):
            return False
        same = self._lcb_line if self._compare.name == "lcb" else self._same_line
        if self._compare.any_order == "lines" or self._compare.name == "multiset":
            got = sorted(got, key=_sorted_as)
            expected = sorted(expected, key=_sorted_as)
        return all(one == other or same(one, other) for one, other in zip(got, expected, strict=True))

    def _lcb_line(self, got: str, expected: str) -> bool:
        ours = got.split()
        theirs = expected.split()
        self._spend(len(theirs))
        if len(ours) != len(theirs) or not all(map(_NUMBER.fullmatch, ours)) or not all(map(_NUMBER.fullmatch, theirs)):
            return False
        return list(map(Decimal, ours)) == list(map(Decimal, theirs))

    def _same_line(self, got: str, expected: str) -> bool:
        ours = got.split()
        theirs = expected.split()
        if self._compare.any_order == "words":
            ours = sorted(ours, key=_sorted_as)
            theirs = sorted(theirs, key=_sorted_as)
        if ours == theirs:  # only the blanks differ: they are part of a drawing, and of nothing else
            return all(any(map(str.isalnum, word)) for word in theirs) or self._compare.any_order == "words"
        return _all_same(ours, theirs, self._same_word)

    def _same_word(self, got: str, expected: str) -> bool:
        """Integers exactly; with a decimal point or an exponent on either side, within the tolerance."""
        if got == expected:
            return True
        if not self._numbers(got, expected):
            return False
        if _is_whole(got) and _is_whole(expected):
            return _plain(got) == _plain(expected)
        ours = float(got)
        theirs = float(expected)
        if _is_whole(expected):
            near = abs(ours - theirs) <= self._compare.abs
            return near if abs(theirs) < _EXACT_FROM else Decimal(got) == Decimal(expected)
        if ours.is_integer() and theirs.is_integer() and max(abs(ours), abs(theirs)) < _WHOLE_BELOW:
            return ours == theirs
        return self._within(ours, theirs)

    def _near(self, got: str, expected: str) -> bool:
        return got == expected or (self._numbers(got, expected) and self._within(float(got), float(expected)))

    def _numbers(self, got: str, expected: str) -> bool:
        self._spend(1)
        return _NUMBER.fullmatch(got) is not None and _NUMBER.fullmatch(expected) is not None

    def _within(self, got: float, expected: float) -> bool:
        """Return whether two numbers agree within the tolerance. What is too large for a float agrees with nothing."""
        difference = abs(got - expected)
        return difference <= self._compare.abs or difference <= self._compare.rel * min(abs(expected), 1e300)

    def _spend(self, comparisons: int) -> None:
        self._left -= comparisons
        if self._left < 0:
            raise SuiteError(f"the tests compare more than {_COMPARISONS} numbers that are written differently")


def output_right(compare: Compare, test: int, got: bytes, expected: str) -> bool:
    """Return whether the output `got` of test number `test` is right. Not for `checker`."""
    return Comparer(compare).right(test, got, expected)


def _all_same(got: list[str], expected: list[str], same: Callable[[str, str], bool]) -> bool:
    return len(got) == len(expected) and all(map(same, got, expected))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _is_whole(number: str) -> bool:
    return number.lstrip(_SIGNS).isdigit()


def _plain(whole: str) -> str:
    """Return a whole number without zeros in front, a plus sign, or the sign of zero."""
    digits = whole.lstrip(_SIGNS).lstrip("0") or "0"
    return f"-{digits}" if whole.startswith("-") and digits != "0" else digits


def _sorted_as(text: str) -> tuple[str, ...]:
    """Return what words are sorted by when their order is free: whole numbers as they are, in whatever spelling."""
    return tuple(_plain(word) if _NUMBER.fullmatch(word) and _is_whole(word) else word for word in text.split())
