"""How the test fields of datasets become a suite: APPS, TACO, PRIME, CodeContests, LiveCodeBench, Codeforces, MBPP,
HumanEval, LeetCode, KodCode; JSON, JSON text, or JSON text inside it. What cannot be used says why.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tracemill.sandbox.comparators import Compare, SuiteError
from tracemill.sandbox.pairs import distinct, from_lists, from_pairs, function_name, json_or_text, pairs, parsed, text
from tracemill.sandbox.suites import (
    MAX_TEST_BYTES,
    MAX_TEST_SOURCE,
    AssertSuite,
    HumanEvalSuite,
    PytestSuite,
    StdioSuite,
    TestSuite,
    parsed_source,
)

# Columns that hold tests of one problem, all of which count (CodeContests, LiveCodeBench, open-r1's Codeforces).
_PARTS = (
    *("public_tests", "private_tests", "generated_tests"),
    *("public_test_cases", "private_test_cases"),
    *("official_tests", "examples"),
)
_WRAPPERS = ("tests", "input_output", "test_cases", "unit_tests", "in_outs")
_DEPTH = 4  # JSON text inside JSON text inside ...


def _assert_lines(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = json_or_text(value)
        value = [value] if isinstance(value, str) else value
    if not isinstance(value, Sequence) or not all(isinstance(line, str) for line in value):
        raise SuiteError("assert tests must be a list of text")
    if sum(map(len, value)) > MAX_TEST_SOURCE:
        raise SuiteError(f"the tests are more than {MAX_TEST_SOURCE} characters of Python")
    return tuple(line.strip() for line in value if line.strip())


def _humaneval(case: Mapping[str, Any], test: str, **options: Any) -> HumanEvalSuite:
    body, _, last = test.strip().rpartition("\n")
    called = last.strip()[len("check(") : -1] if last.startswith("check(") and last.rstrip().endswith(")") else None
    entry = case.get("entry_point") or called
    if not entry:
        raise SuiteError("a `check(candidate)` test needs `entry_point` or a closing check(...) call")
    return HumanEvalSuite(test=body if called else test, entry_point=entry, **options)


def _test_file(source: Any) -> str:
    """Return a test file that holds at least one test, or raise SuiteError."""
    if not isinstance(source, str):
        raise SuiteError(f"`test_code` is {type(source).__name__}, not text")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    if not any(
        isinstance(n, functions) and n.name.startswith("test") for n in ast.walk(ast.parse(parsed_source(source)))
    ):
        raise SuiteError("`test_code` defines no test function")
    return source


def _lower(case: Any, options: dict[str, Any], known: Mapping[str, Any], depth: int = 0) -> TestSuite:
    if isinstance(case, Sequence) and not isinstance(case, str):
        if case and isinstance(case[0], str) and not isinstance(parsed(case[0]), Mapping):
            return AssertSuite(lines=_assert_lines(case), **options)
        return from_pairs(list(pairs(case)), function_name(known), **options)
    if not isinstance(case, Mapping):
        raise SuiteError(f"tests are {type(case).__name__}, not an object or a list")
    known = {**known, **case}
    present = {key for key, value in case.items() if value is not None}
    if "test_code" in present:
        return PytestSuite(test_code=_test_file(case["test_code"]), entry_point=case.get("test_entry_point"), **options)
    for key in ("assert_case", "testcase", "test_list"):
        if key in present:
            setup = text(case.get("test_setup_code") or "") or None
            return AssertSuite(lines=_assert_lines(case[key]), setup=setup, **options)
    if {"inputs", "outputs"} <= present:
        return from_lists(case, function_name(known), **options)
    for key in ("functional", "test"):
        if isinstance(case.get(key), str) and "def check" in case[key]:
            return _humaneval(case, case[key], **options)
    return _columns(case, options, known, depth)


def _columns(case: Mapping[str, Any], options: dict[str, Any], known: Mapping[str, Any], depth: int) -> TestSuite:
    columns = [key for key in _PARTS if case.get(key)]
    if columns:
        tests = [pair for key in columns for pair in pairs(case[key])]
        return from_pairs(distinct(tests), function_name(known), **options)
    if {"input", "output"} <= case.keys():
        return from_pairs(list(pairs(case)), function_name(known), **options)
    for key in _WRAPPERS:
        if case.get(key) and depth < _DEPTH:
            return _lower(parsed(case[key]), options, known, depth + 1)
    raise SuiteError(f"no known test fields among {sorted(map(str, case))[:12]}")


def _sized(suite: TestSuite) -> TestSuite:
    """Return `suite` unless one of its tests is larger than a worker can take, which raises SuiteError."""
    if isinstance(suite, StdioSuite) and max(map(len, (*suite.inputs, *suite.outputs))) > MAX_TEST_BYTES:
        raise SuiteError(f"a test has more than {MAX_TEST_BYTES} characters of input or output")
    return suite


def suite_from(
    test_case: Mapping[str, Any] | Sequence[Any] | str, *, compare: Compare | None = None, max_tests: int | None = None
) -> TestSuite:
    """Return the suite that a dataset's test field describes.

    Takes {inputs, outputs, fn_name?} (LiveCodeBench, TACO, APPS; text or lists of lines), a list of {input, output}
    (Codeforces), columns of tests (CodeContests' public_tests, private_tests, generated_tests; LiveCodeBench's
    public_test_cases and private_test_cases, also packed), {assert_case} or a list of asserts (MBPP, OpenCoder),
    {test_code, test_entry_point} (KodCode), {test, entry_point} (HumanEval), {functional} (LeetCode), or any of these
    as JSON text. `max_tests` keeps the first N tests (DeepDistill §2.4 uses 10). Raises SuiteError with the reason for
    anything else.
    """
    options: dict[str, Any] = {"max_tests": max_tests}
    if compare is not None:
        options["compare"] = compare
    case = parsed(test_case)
    if isinstance(case, str):
        raise SuiteError("tests are text that is not JSON")
    try:
        return _sized(_lower(case, options, {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SuiteError(f"tests cannot be used: {place}: {first['msg']}" if place else first["msg"]) from None
