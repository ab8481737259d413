"""Every dataset's test field becomes one suite; what cannot be used says why and never becomes a verdict."""

import json
from typing import Any

import pytest

from tracemill.sandbox.base import (
    AssertSuite,
    CallSuite,
    HumanEvalSuite,
    PytestSuite,
    StdioSuite,
    SuiteError,
    suite_from,
)
from tracemill.sandbox.suites import MAX_TEST_BYTES

FILE = "from solution import f\n\ndef test_f():\n    assert f(1) == 2\n"
CHECK = "def check(candidate):\n    assert candidate(1) == 2\n"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(
            {"inputs": ["1\n"], "outputs": ["2\n"]}, StdioSuite(inputs=("1\n",), outputs=("2\n",)), id="livecodebench"
        ),
        pytest.param(
            {"inputs": [["1", "2"]], "outputs": [["3"]]},
            StdioSuite(inputs=("1\n2",), outputs=("3",)),
            id="lists-of-lines",
        ),
        pytest.param(
            {"inputs": ["1\n[2]"], "outputs": ["3"], "fn_name": "f"},
            CallSuite(fn_name="f", args=((1, [2]),), expected=(3,)),
            id="livecodebench-call-json-lines",
        ),
        pytest.param(
            {"inputs": [[1, [2]]], "outputs": [[[3]]], "fn_name": "f"},
            CallSuite(fn_name="f", args=((1, [2]),), expected=([3],)),
            id="taco-wraps-the-output-in-a-list",
        ),
        pytest.param(
            {"inputs": ["1"], "outputs": ["2"], "fn_name": None},
            StdioSuite(inputs=("1",), outputs=("2",)),
            id="null-fn-name",
        ),
        pytest.param([{"input": "1", "output": "2"}], StdioSuite(inputs=("1",), outputs=("2",)), id="codeforces"),
        pytest.param(
            {"call_type": "assert", "fn_name": "f", "assert_case": ["assert f(1) == 2"]},
            AssertSuite(lines=("assert f(1) == 2",)),
            id="assert-case",
        ),
        pytest.param(["assert f(1) == 2"], AssertSuite(lines=("assert f(1) == 2",)), id="assert-list"),
        pytest.param(
            {"testcase": '["assert f(1) == 2"]'}, AssertSuite(lines=("assert f(1) == 2",)), id="opencoder-json-text"
        ),
        pytest.param(
            {"test_code": FILE, "test_entry_point": "f"}, PytestSuite(test_code=FILE, entry_point="f"), id="kodcode"
        ),
        pytest.param({"test": CHECK, "entry_point": "f"}, HumanEvalSuite(test=CHECK, entry_point="f"), id="humaneval"),
        pytest.param(
            {"functional": CHECK + "\n\ncheck(Solution().f)"},
            HumanEvalSuite(test=CHECK.rstrip() + "\n\n", entry_point="Solution().f"),
            id="leetcode-closing-check-is-not-run-at-import",
        ),
    ],
)
def test_shapes(case: Any, expected: Any) -> None:
    assert suite_from(case) == expected
    assert suite_from(json.dumps(case)) == expected, "the same as JSON text"


@pytest.mark.parametrize(
    ("case", "why"),
    [
        pytest.param({}, "no known test fields", id="empty"),
        pytest.param("not json", "not JSON", id="text"),
        pytest.param({"inputs": ["1"], "outputs": []}, "1 inputs but 0 outputs", id="unpaired"),
        pytest.param({"inputs": [], "outputs": []}, "at least 1", id="no-tests"),
        pytest.param(
            {"inputs": ["x"], "outputs": ["1"], "fn_name": "f"}, "JSON value per line", id="arguments-not-json"
        ),
        pytest.param({"inputs": "1", "outputs": "2"}, "must be lists", id="text-instead-of-lists"),
        pytest.param([{"input": "1"}], "`input` and `output`", id="pair-without-output"),
        pytest.param({"test_code": "def test_f(:"}, "not valid Python", id="broken-test-file"),
        pytest.param({"test_code": "x = 1"}, "no test function", id="test-file-without-tests"),
        pytest.param({"test": CHECK}, "entry_point", id="check-without-entry-point"),
        pytest.param({"assert_case": [1]}, "list of text", id="assert-not-text"),
        pytest.param({"inputs": [{"a": 1}], "outputs": ["1"]}, "not text", id="input-is-an-object"),
        pytest.param(7, "int", id="number"),
        pytest.param({"test_list": ["f()"], "test_setup_code": "def ("}, "not valid Python", id="broken-setup"),
        pytest.param(["assert f() == " + "+".join("1" * 9999)], "not valid Python", id="deeper-than-a-parser-goes"),
        pytest.param({"inputs": ["x" * (MAX_TEST_BYTES + 1)], "outputs": ["1"]}, "more than 67108864", id="huge-input"),
    ],
)
def test_unusable_tests_are_a_fault_of_the_data(case: Any, why: str) -> None:
    with pytest.raises(SuiteError, match=why):
        suite_from(case)
