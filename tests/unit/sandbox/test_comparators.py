"""Outputs and values are judged by named rules, outside the sandbox; the traps are those that fool other scorers."""

from typing import Any

import pytest
from pydantic import ValidationError

from tracemill.sandbox.comparators import Compare, output_right, values_equal

LCB, EXACT, TOKENS = Compare(), Compare(name="exact"), Compare(name="tokens")
FLOAT, LINES = Compare(name="float", rel=1e-6, abs=1e-9), Compare(name="multiset")
EITHER = Compare(name="any_of", answers=(("no",),))


@pytest.mark.parametrize(
    ("compare", "got", "expected", "right"),
    [
        pytest.param(LCB, b"3\n", "3", True, id="lcb-ignores-the-last-newline"),
        pytest.param(LCB, b" 3 \n", "3", True, id="lcb-strips"),
        pytest.param(LCB, b"3.0", "3", True, id="lcb-compares-decimals"),
        pytest.param(LCB, b"1 2\n3", "1 2\n3\n", True, id="lcb-lines"),
        pytest.param(LCB, b"1\n2\n3", "1\n2", False, id="lcb-a-correct-prefix-is-not-enough"),
        pytest.param(LCB, b"1", "1\n2", False, id="lcb-half-an-answer"),
        pytest.param(LCB, "３".encode(), "3", False, id="full-width-digits-are-no-number"),
        pytest.param(LCB, b"1_0", "10", False, id="underscores-are-no-number"),
        pytest.param(LCB, b"\xff3", "3", False, id="not-utf-8"),
        pytest.param(LCB, b"NaN", "NaN ", True, id="same-text-is-same"),
        pytest.param(LCB, b"inf", "1e999", False, id="inf-is-no-number"),
        pytest.param(LCB, b"yes", "YES", False, id="case-matters"),
        pytest.param(EXACT, b"3\n", "3", False, id="exact-is-exact"),
        pytest.param(EXACT, b"3\n", "3\n", True, id="exact-same"),
        pytest.param(TOKENS, b"1\n2 3", "1 2\n3", True, id="tokens-ignore-lines"),
        pytest.param(TOKENS, b"1.0", "1", False, id="tokens-are-text"),
        pytest.param(FLOAT, b"0.3333333", "0.33333333", True, id="float-within-rel"),
        pytest.param(FLOAT, b"0.3334", "0.33333333", False, id="float-too-far"),
        pytest.param(FLOAT, b"nan", "0.1", False, id="float-nan"),
        pytest.param(FLOAT, b"1 2", "1", False, id="float-count"),
        pytest.param(FLOAT, b"7" * 1_500_000, "1.5", False, id="float-too-large-for-decimal-arithmetic"),
        pytest.param(FLOAT, b"1.5", "7" * 1_500_000, False, id="float-expected-is-too-large"),
        pytest.param(LINES, b"b\na\n", "a\nb", True, id="multiset-any-order"),
        pytest.param(LINES, b"a\na\nb", "a\nb\nb", False, id="multiset-counts"),
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
        pytest.param(True, 1, False, id="bool-is-no-int"),
        pytest.param([True], [1], False, id="bool-in-list"),
        pytest.param(0.1 + 0.2, 0.3, True, id="float-tolerance"),
        pytest.param(3, 3.0, True, id="int-and-float"),
        pytest.param(float("nan"), float("nan"), False, id="nan-equals-nothing"),
        pytest.param({1: "a"}, {"1": "a"}, True, id="json-keys-are-text"),
        pytest.param({1: "a"}, {"1": "a", "2": "b"}, False, id="missing-key"),
        pytest.param({3, 1}, [1, 3], True, id="set-in-any-order"),
        pytest.param("1", 1, False, id="text-is-no-number"),
        pytest.param(None, [], False, id="none"),
        pytest.param([[1, (2,)]], [[1, [2]]], True, id="nested"),
        pytest.param(10**400, 1.5, False, id="too-big-for-a-float"),
        pytest.param([1, 2], [1, 2, 3], False, id="prefix"),
    ],
)
def test_value_rules(got: Any, expected: Any, equal: bool) -> None:
    assert values_equal(got, expected) is equal


@pytest.mark.parametrize("name", ["checker", "any_of"])
def test_a_rule_without_what_it_needs_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="needs"):
        Compare.model_validate({"name": name})


def test_a_checker_that_is_no_program_is_refused() -> None:
    with pytest.raises(ValidationError, match="not valid Python"):
        Compare(name="checker", checker="def (")
