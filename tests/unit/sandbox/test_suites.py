"""Every dataset's test field becomes one suite; what cannot be used says why and never becomes a verdict."""

import base64
import contextlib
import json
import pickle
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

PACKED = base64.b64encode(zlib.compress(pickle.dumps('[{"input": "2", "output": "4", "testtype": "stdin"}]'))).decode()
TWO = StdioSuite(inputs=("1", "2"), outputs=("2", "4"))
FILE = "from solution import f\n\ndef test_f():\n    assert f(1) == 2\n"
CHECK = "def check(candidate):\n    assert candidate(1) == 2\n"


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


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
            CallSuite(fn_name="f", args=((1, [2]),), expected=([3],), or_wrapped=True),
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
        pytest.param(
            {"inputs": [[[3]]], "outputs": [[3], [3, 4]][:1], "fn_name": "f"},
            CallSuite(fn_name="f", args=(([3],),), expected=(3,), or_wrapped=True),
            id="a-list-of-one-may-be-the-value",
        ),
        pytest.param(
            {"inputs": [[1], [2]], "outputs": [[3], [3, 4]], "fn_name": "f"},
            CallSuite(fn_name="f", args=((1,), (2,)), expected=([3], [3, 4])),
            id="where-one-is-no-list-of-one-none-is-wrapped",
        ),
        pytest.param(
            {"inputs": [["12"]], "outputs": ["12"], "fn_name": "f"},
            CallSuite(fn_name="f", args=(("12",),), expected=("12",)),
            id="text-that-looks-like-a-number",
        ),
        pytest.param(
            {"public_tests": {"input": ["1"], "output": ["2"]}, "private_tests": {"input": ["2"], "output": ["4"]}},
            TWO,
            id="codecontests-columns",
        ),
        pytest.param(
            {
                "public_tests": {"input": ["1"], "output": ["2"]},
                "private_tests": None,
                "generated_tests": {"input": ["1", "2"], "output": ["2", "4"]},
            },
            TWO,
            id="a-test-that-two-columns-hold-counts-once",
        ),
        pytest.param(
            {"public_test_cases": '[{"input": "1", "output": "2", "testtype": "stdin"}]', "private_test_cases": PACKED},
            TWO,
            id="livecodebench-packed",
        ),
        pytest.param(
            {
                "public_test_cases": [{"input": "[1]\n2", "output": "true", "testtype": "functional"}],
                "metadata": '{"func_name": "f"}',
                "starter_code": "class Solution:\n    def g(self, x):",
            },
            CallSuite(fn_name="f", args=(([1], 2),), expected=(True,)),
            id="livecodebench-functional",
        ),
        pytest.param(
            {
                "public_test_cases": [{"input": "1", "output": "2", "testtype": "functional"}],
                "starter_code": "class Solution:\n    def f(self, x: int) -> int:\n        ",
            },
            CallSuite(fn_name="f", args=((1,),), expected=(2,)),
            id="starter-code-names-the-function",
        ),
        pytest.param(
            {"input_output": '{"inputs": ["1", "2"], "outputs": ["2", "4"]}', "starter_code": ""}, TWO, id="apps-column"
        ),
        pytest.param({"tests": "{'inputs': ['1', '2'], 'outputs': ['2', '4']}"}, TWO, id="a-python-literal"),
        pytest.param({"tests": [{"input": ["1"], "output": "2"}, {"input": "2", "output": 4}]}, TWO, id="mixed-pairs"),
        pytest.param({"input": ["1", "2"], "output": ["2", "4"]}, TWO, id="singular-names"),
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
        pytest.param({"private_test_cases": PACKED[:40]}, "cut off|objects with", id="packed-and-cut"),
        pytest.param({"private_test_cases": packed(pickle.dumps(["a", "b"]))}, "more than one text", id="packed-list"),
        pytest.param({"private_test_cases": packed(pickle.dumps(print))}, "more than one text", id="packed-callable"),
        pytest.param({"private_test_cases": packed(b"\x80\x04garbage")}, "no pickle", id="packed-garbage"),
        pytest.param({"private_test_cases": packed(bytes(40 << 20))}, "more than 33554432", id="packed-bomb"),
        pytest.param({"private_test_cases": packed(pickle.dumps("no"))}, "no JSON", id="packed-prose"),
        pytest.param(
            {"public_test_cases": [{"input": "1", "output": "2", "testtype": "functional"}]}, "fn_name", id="nameless"
        ),
        pytest.param({"input": ["1", "2"], "output": ["2"]}, "2 inputs but 1 outputs", id="unpaired-columns"),
        pytest.param({"fn_name": 7, "inputs": ["1"], "outputs": ["1"]}, "not text", id="a-name-that-is-a-number"),
        pytest.param({"test_list": ["f()"], "test_setup_code": "def ("}, "not valid Python", id="broken-setup"),
        pytest.param(["assert f() == " + "+".join("1" * 9999)], "not valid Python", id="deeper-than-a-parser-goes"),
        pytest.param({"inputs": ["x" * (MAX_TEST_BYTES + 1)], "outputs": ["1"]}, "more than 67108864", id="huge-input"),
    ],
)
def test_unusable_tests_are_a_fault_of_the_data(case: Any, why: str) -> None:
    with pytest.raises(SuiteError, match=why):
        suite_from(case)


_KEYS = st.sampled_from(
    [
        "inputs",
        "outputs",
        "input",
        "output",
        "fn_name",
        "public_tests",
        "private_test_cases",
        "tests",
        "test_list",
        "test",
        "entry_point",
        "starter_code",
        "metadata",
        "functional",
        "input_output",
        "test_code",
        "testtype",
        "compare",
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | _KEYS
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@pytest.mark.parametrize("names", [("input", "output"), ("inputs", "outputs")], ids=" and ".join)
def test_a_column_may_hold_one_test_alone(names: tuple[str, str]) -> None:
    """Traps: under the names of two lists it was a KeyError, and one row ended the whole shard; "1.50" is no number."""
    suite = suite_from({"public_tests": dict(zip(names, ["1.50\n", "9\n"], strict=True))})
    assert isinstance(suite, StdioSuite)
    assert (suite.inputs, suite.outputs) == (("1.50\n",), ("9\n",))
    with pytest.raises(SuiteError, match="NoneType"):
        suite_from({"public_tests": dict.fromkeys(names)})


@given(_JSON, st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_a_row_holds_is_a_suite_or_a_fault_of_the_data(case: Any, as_text: bool, inside: bool) -> None:
    case = {"tests": json.dumps(case)} if inside else case
    with contextlib.suppress(SuiteError):
        suite = suite_from(json.dumps(case) if as_text else case)
        assert suite.kind in ("stdio", "call", "asserts", "humaneval", "pytest")
