"""Tokens: what must be equal in two prints of one problem, and what must never become equal."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tracemill.text.ngrams import text_keys
from tracemill.text.tokens import token_batches, tokenise
from tracemill.text.vocabulary import NAME


def keys(*texts: str | None) -> list[str]:
    return text_keys(tokenise(pa.array(texts, pa.large_string())))


SAME = {
    "case and blanks": ("Find  X\n now", "find x now"),
    "closing mark": ("Find $x$.", "find x"),
    "exclamation": ("Go on!", "go on"),
    "thousands": ("1,000,000 people", "1000000 people"),
    "trailing zeros": ("2.50 and 3.0", "2.5 and 3"),
    "number words": ("two of twenty", "2 of 20"),
    "percent": ("5 percent", "5%"),
    "joined words": ("a two-digit number", "a 2 digit number"),
    "joined unit": ("a $9$-kilometer walk", "a 9 kilometer walk"),
    "braces of one token": ("x^{2}", "x^2"),
    "displayed fraction": (r"\dfrac{1}{2}", r"\frac{1}{2}"),
    "formula brackets": (r"\( x \) and \[y\]", "x and y"),
    "spacing commands": (r"\left( 1,\; 2 \right)", "(1, 2)"),
    "relation sign": ("x ≤ 3 ≠ y", r"$x \le 3 \ne y$"),
    "product signs": ("3 × 4", r"3 \cdot 4"),
    "degree": ("40°", r"40^\circ".replace(r"^\circ", r"\degree")),
    "exponent sign": ("5² cm", "5^2 cm"),
    "index sign": ("a₁", "a_1"),
    "full width": ("ＡＢ １２", "ab 12"),
    "chinese stop": ("求最大值。", "求最大值"),
    "curly quotes": ("Janet’s “ducks”", 'Janet\'s "ducks"'),
    "minus sign": ("3 − 4", "3 - 4"),
    "markdown": ("## **Task**\n- first\n* other", "Task first other"),
    "soft hyphen": ("prob\u00adlem", "problem"),
    "other case": ("ÉCOLE ΔΕΛΤΑ", "école δελτα"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_two_prints_of_a_text_have_one_key(one: str, other: str) -> None:
    assert keys(one)[0] == keys(other)[0]


DIFFERENT = {
    "factorial": ("5!", "5"),
    "factorial of a variable": ("n!", "n"),
    "sign": ("3+4", "3-4"),
    "leading minus": ("-4", "4"),
    "spaced minus": ("3 - 4", "3 4"),
    "exponent": ("5²", "52"),
    "mixed number": ("3½", "31/2"),
    "pair": ("(1,2)", "(12)"),
    "list": ("1,2,3", "123"),
    "list of long numbers": ("1000,2000", "10002000"),
    "decimal": ("2.5", "25"),
    "ratio": ("3:4", "34"),
    "exponent's extent": ("a^{b+c}", "a^{b}+c"),
    "fraction's parts": (r"\frac{1}{23}", r"\frac{12}{3}"),
    "direction": ("x < y", "x > y"),
    "strictness": ("x < y", r"x \leq y"),
    "language": ("in C#", "in C"),
    "one is no number": ("one", "1"),
    "order": ("2x + 3", "3x + 2"),
    "chinese": ("最大值", "最小值"),
    "script": ("α", "a"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_problems_have_different_keys(one: str, other: str) -> None:
    assert keys(one)[0] != keys(other)[0]


def names(text: str) -> int:
    return int(((tokenise(pa.array([text])).kinds & NAME) != 0).sum())


NAMES = {
    "inside": ("the walk of Aya", 1),
    "opens a sentence": ("Aya walks. Bob runs", 0),
    "after a line break": ("so\nBob runs", 0),
    "two": ("then Aya met Bob", 2),
    "points are no names": ("in triangle A", 0),
    "a figure's points": ("in triangle ABC", 1),
    "after a colon": ("task: Count", 0),
    "none": ("no name here", 0),
}


@pytest.mark.parametrize(("text", "count"), NAMES.values(), ids=NAMES)
def test_a_name_is_a_capitalised_word_within_a_sentence(text: str, count: int) -> None:
    assert names(text) == count


@pytest.mark.parametrize("broken", ["\\", "a\\", "{", "}", "$", "\x00", "1,", "1.", "漢", "é", "\ud7ff", "x^"])
def test_texts_cut_anywhere_are_tokenised(broken: str) -> None:
    assert keys(broken) == keys(broken + " ")


def test_null_is_an_empty_text_and_slices_keep_their_rows() -> None:
    column = pa.chunked_array([pa.array(["a b", None, "c"], pa.string()), pa.array(["", "d"], pa.string())])
    tokens = tokenise(column.slice(1))
    assert len(tokens) == 4
    assert text_keys(tokens) == keys(None, "c", "", "d")


def test_batches_cover_all_rows_in_order() -> None:
    texts = [f"row {k} " + "x " * (k % 7) for k in range(100)]
    column = pa.chunked_array([pa.array(texts[:33]), pa.array(texts[33:])])
    found = [(first + k, key) for first, t in token_batches(column, 50) for k, key in enumerate(text_keys(t))]
    assert found == list(enumerate(keys(*texts)))
