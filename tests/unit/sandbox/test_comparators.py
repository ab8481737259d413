"""Outputs and values are judged by named rules, outside the sandbox; the traps are those that fool other scorers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.pace import within
from tracemill.sandbox.comparators import Compare, Comparer, SuiteError, output_right
from tracemill.sandbox.values import value_right, values_equal

LINES, EXACT, TOKENS, LCB = (Compare(name=name) for name in ("lines", "exact", "tokens", "lcb"))
FLOAT, ANY_LINES = Compare(name="float", rel=1e-6, abs=1e-9), Compare(name="multiset")
EITHER = Compare(name="any_of", answers=(("no",),))
ANY_CASE, ANY_WORDS = Compare(any_case=True), Compare(any_order="words")
LOOSE = Compare(rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("compare", "got", "expected", "right"),
    [
        pytest.param(LINES, b"3\n", "3", True, id="the-last-newline"),
        pytest.param(LINES, b" 3 \n", "3", True, id="blanks-around-a-line"),
        pytest.param(LINES, b"3.0", "3", True, id="a-whole-number-with-a-point"),
        pytest.param(LINES, b"1 2\n3", "1 2\n3\n", True, id="lines"),
        pytest.param(LINES, b"1\n2\n3", "1\n2", False, id="a-correct-prefix-is-not-enough"),
        pytest.param(LINES, b"1", "1\n2", False, id="half-an-answer"),
        pytest.param(LINES, "３".encode(), "3", False, id="full-width-digits-are-no-number"),
        pytest.param(LINES, b"1_0", "10", False, id="underscores-are-no-number"),
        pytest.param(LINES, b"\xff3", "3", False, id="not-utf-8"),
        pytest.param(LINES, b"NaN", "NaN ", True, id="same-text-is-same"),
        pytest.param(LINES, b"inf", "1e999", False, id="inf-is-no-number"),
        pytest.param(LINES, b"1e999", "1e998", False, id="two-numbers-too-large-for-a-float"),
        pytest.param(LINES, b"yes", "YES", False, id="case-matters"),
        pytest.param(LINES, b"0.333333", "0.333333333333", True, id="reals-within-a-millionth"),
        pytest.param(LINES, b"0.3333", "0.333333333333", False, id="reals-too-far-apart"),
        pytest.param(LINES, b"1234567.5", "1234567.9", True, id="large-reals-relatively"),
        pytest.param(LINES, b"2.9999999", "3", True, id="a-real-where-a-whole-number-is-expected"),
        pytest.param(LINES, b"1000000", "1000001", False, id="whole-numbers-exactly"),
        pytest.param(LINES, b"123456788.0", "123456789", False, id="a-point-does-not-loosen-a-whole-number"),
        pytest.param(LINES, b"123456788.0", "123456789.0", False, id="two-whole-numbers-with-points"),
        pytest.param(LINES, b"100000000000000000001.0", "100000000000000000000", False, id="beyond-a-float"),
        pytest.param(LINES, b"-0", "0", True, id="minus-zero"),
        pytest.param(LINES, b"007", "7", True, id="zeros-in-front"),
        pytest.param(LINES, b"Case 1: 0.5000001", "Case 1: 0.5", True, id="a-real-among-words"),
        pytest.param(LINES, b"YES  2", "YES 2", True, id="blanks-between-words"),
        pytest.param(LINES, b"*  *", "* *", False, id="blanks-in-a-drawing"),
        pytest.param(LINES, b"1 2 3", "1\n2\n3", False, id="lines-are-lines"),
        pytest.param(LCB, b"3.0", "3", True, id="lcb-compares-decimals"),
        pytest.param(LCB, b"0.3333333", "0.33333333", False, id="lcb-knows-no-tolerance"),
        pytest.param(EXACT, b"3\n", "3", False, id="exact-is-exact"),
        pytest.param(EXACT, b"3\n", "3\n", True, id="exact-same"),
        pytest.param(TOKENS, b"1\n2 3", "1 2\n3", True, id="tokens-ignore-lines"),
        pytest.param(TOKENS, b"1.0", "1", False, id="tokens-are-text"),
        pytest.param(FLOAT, b"0.3333333", "0.33333333", True, id="float-within-rel"),
        pytest.param(FLOAT, b"0.3334", "0.33333333", False, id="float-too-far"),
        pytest.param(FLOAT, b"nan", "0.1", False, id="float-nan"),
        pytest.param(FLOAT, b"1 2", "1", False, id="float-count"),
        pytest.param(FLOAT, b"7" * 1_500_000, "1.5", False, id="float-too-large-for-arithmetic"),
        pytest.param(FLOAT, b"1.5", "7" * 1_500_000, False, id="float-expected-is-too-large"),
        pytest.param(LOOSE, b"3.142", "3.1415926", True, id="the-row-names-its-tolerance"),
        pytest.param(LOOSE, b"3.149", "3.1415926", False, id="and-no-more"),
        pytest.param(ANY_CASE, b"Yes", "YES", True, id="any-case"),
        pytest.param(ANY_CASE, b"No", "YES", False, id="any-case-of-another-word"),
        pytest.param(ANY_LINES, b"b\na\n", "a\nb", True, id="multiset-any-order"),
        pytest.param(ANY_LINES, b"a\na\nb", "a\nb\nb", False, id="multiset-counts"),
        pytest.param(ANY_WORDS, b"2\n3 1", "2\n1 3", True, id="words-in-any-order"),
        pytest.param(ANY_WORDS, b"3\n2 1", "2\n1 3", False, id="words-stay-in-their-line"),
        pytest.param(EITHER, b"no", "yes", True, id="any-of-the-other-answer"),
        pytest.param(EITHER, b"maybe", "yes", False, id="any-of-neither"),
    ],
)
def test_output_rules(compare: Compare, got: bytes, expected: str, right: bool) -> None:
    assert output_right(compare, 0, got, expected) is right


@pytest.mark.parametrize(
    ("got", "expected", "equal"),
    [
        pytest.param((1, 2), [1, 2], True, id="tuple-is-list"),
        pytest.param(True, 1, False, id="true-is-no-1"),
        pytest.param([True], [1], False, id="bool-in-list"),
        pytest.param(1, True, True, id="1-stands-for-true"),
        pytest.param(2, True, False, id="2-does-not"),
        pytest.param(1.0, True, False, id="nor-does-1.0"),
        pytest.param([0, 1], [False, True], True, id="0-and-1-in-a-list"),
        pytest.param(0.1 + 0.2, 0.3, True, id="float-tolerance"),
        pytest.param(3, 3.0, True, id="int-and-float"),
        pytest.param(1000001.0, 1000000, False, id="whole-numbers-exactly"),
        pytest.param(float("nan"), float("nan"), False, id="nan-equals-nothing"),
        pytest.param(float("inf"), 1e300, False, id="inf"),
        pytest.param({1: "a"}, {"1": "a"}, True, id="json-keys-are-text"),
        pytest.param({1: "a"}, {"1": "a", "2": "b"}, False, id="missing-key"),
        pytest.param({3, 1}, [1, 3], False, id="a-set-is-no-list"),
        pytest.param({2.0}, [2], False, id="nor-is-one-of-floats"),
        pytest.param({3, 1}, {1, 3}, True, id="two-sets"),
        pytest.param("1", 1, False, id="text-is-no-number"),
        pytest.param(None, [], False, id="none"),
        pytest.param([[1, (2,)]], [[1, [2]]], True, id="nested"),
        pytest.param(10**400, 1.5, False, id="too-big-for-a-float"),
        pytest.param([1, 2], [1, 2, 3], False, id="prefix"),
    ],
)
def test_value_rules(got: Any, expected: Any, equal: bool) -> None:
    assert values_equal(got, expected) is equal


@pytest.mark.parametrize(
    ("rule", "got", "expected", "right"),
    [
        pytest.param({"any_order": "lines"}, [3, 1], [1, 3], True, id="any-order"),
        pytest.param({"any_order": "lines"}, [3, 1, 1], [1, 3, 3], False, id="any-order-counts"),
        pytest.param({"any_order": "lines"}, [[2, 1]], [[1, 2]], False, id="inner-order-matters"),
        pytest.param({"any_order": "words"}, [[4, 3], [2, 1]], [[1, 2], [3, 4]], True, id="inner-order-too"),
        pytest.param({"any_case": True}, ["Yes"], ["YES"], True, id="any-case"),
        pytest.param({"name": "float", "abs": 0.01}, [1.005], [1.0], True, id="tolerance"),
        pytest.param({"name": "any_of", "answers": [[[2, 1]]]}, [2, 1], [1, 2], True, id="any-of"),
        pytest.param({"name": "any_of", "answers": [[[2, 1]]]}, [2, 2], [1, 2], False, id="any-of-neither"),
    ],
)
def test_value_rules_of_a_row(rule: dict[str, Any], got: Any, expected: Any, right: bool) -> None:
    assert value_right(Compare.model_validate(rule), 0, got, expected) is right


def test_an_output_longer_than_a_right_one_can_be_is_not_even_decoded() -> None:
    output = b"1 " * 8_000_000
    assert not within(0.1, lambda: output_right(LINES, 0, output, "1"))


def test_comparing_ends_with_its_budget() -> None:
    comparer, expected = Comparer(LINES), "1.5 " * 200_000
    got = expected.replace("1.5", "1.50").encode()
    assert all(comparer.right(test, got, expected) for test in range(5))
    with pytest.raises(SuiteError, match="numbers"):
        comparer.right(5, got, expected)


@given(st.lists(st.integers(-(10**20), 10**20), min_size=1, max_size=5), st.integers(0, 4), st.integers(1, 9))
def test_no_other_whole_number_passes(numbers: list[int], place: int, off: int) -> None:
    expected = " ".join(map(str, numbers))
    assert output_right(LINES, 0, " ".join(f"{number:+d}" for number in numbers).encode(), expected)
    numbers[place % len(numbers)] += off
    for form in ("{}", "{}.0", "{}.000000"):
        assert not output_right(LINES, 0, " ".join(form.format(number) for number in numbers).encode(), expected)


def test_a_checker_that_is_no_program_is_refused() -> None:
    with pytest.raises(ValidationError, match="not valid Python"):
        Compare(name="checker", checker="def (")


@pytest.mark.parametrize("name", ["checker", "any_of"])
def test_a_rule_without_what_it_needs_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="needs"):
        Compare.model_validate({"name": name})
