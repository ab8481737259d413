"""What a program is judged against: five kinds of test suite, and how a dataset's test fields become one of them."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from .comparators import Compare, SuiteError

MAX_TEST_BYTES = 64 << 20


def _parsed_source(source: str) -> str:
    """Return `source` when it is Python, or raise SuiteError."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SuiteError(f"the tests are not valid Python: {error}") from None
    return source


Python = Annotated[str, AfterValidator(_parsed_source)]


class _Suite(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    compare: Compare = Compare()
    max_tests: int | None = Field(default=None, ge=1)


class StdioSuite(_Suite):
    """Standard input to standard output. `outputs` has one text per input."""

    kind: Literal["stdio"] = "stdio"
    inputs: tuple[str, ...] = Field(min_length=1)
    outputs: tuple[str, ...]

    @model_validator(mode="after")
    def _paired(self) -> "StdioSuite":
        if len(self.inputs) != len(self.outputs):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.outputs)} outputs")
        return self


class CallSuite(_Suite):
    """Calls of `fn_name` (also a method of `class Solution`): positional arguments and expected value per test."""

    kind: Literal["call"] = "call"
    fn_name: str = Field(min_length=1)
    args: tuple[tuple[Any, ...], ...] = Field(min_length=1)
    expected: tuple[Any, ...]

    @model_validator(mode="after")
    def _paired(self) -> "CallSuite":
        if len(self.args) != len(self.expected):
            raise ValueError(f"{len(self.args)} argument lists but {len(self.expected)} expected values")
        return self


class AssertSuite(_Suite):
    """Assert statements (MBPP style); each line is one test, `setup` runs before them."""

    kind: Literal["asserts"] = "asserts"
    lines: tuple[Python, ...] = Field(min_length=1)
    setup: Python | None = None


class HumanEvalSuite(_Suite):
    """A test source that defines `check(candidate)`; `entry_point` is the candidate, also `Solution().method`."""

    kind: Literal["humaneval"] = "humaneval"
    test: Python = Field(min_length=1)
    entry_point: str = Field(min_length=1)


class PytestSuite(_Suite):
    """A pytest file about module `solution`; names it uses but neither defines nor imports are the solution's."""

    kind: Literal["pytest"] = "pytest"
    test_code: Python = Field(min_length=1)
    entry_point: str | None = None


TestSuite = Annotated[StdioSuite | CallSuite | AssertSuite | HumanEvalSuite | PytestSuite, Field(discriminator="kind")]


def _text(value: Any) -> str:
    """Return a test's text; a list of lines is joined, and numbers are written as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "\n".join(_text(item) for item in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise SuiteError(f"a test input or output is {type(value).__name__}, not text or a list of lines")


def _arguments(value: Any) -> tuple[Any, ...]:
    """Return one call's arguments: a list of them, or text with one JSON value per line."""
    if isinstance(value, str):
        try:
            return tuple(json.loads(line) for line in value.split("\n") if line.strip())
        except ValueError as error:
            raise SuiteError(f"call arguments are not one JSON value per line: {error}") from None
    if isinstance(value, Sequence):
        return tuple(value)
    raise SuiteError(f"call arguments are {type(value).__name__}, not a list or JSON lines")


def _expected(value: Any) -> Any:
    """Return a call's expected value. TACO and APPS wrap it in a list of one; LiveCodeBench writes JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, Sequence) and len(value) == 1:
        return value[0]
    return value


def _from_lists(case: Mapping[str, Any], **options: Any) -> StdioSuite | CallSuite:
    inputs, outputs = case["inputs"], case["outputs"]
    if not isinstance(inputs, Sequence) or not isinstance(outputs, Sequence) or isinstance(inputs, str):
        raise SuiteError("`inputs` and `outputs` must be lists")
    name = case.get("fn_name")
    if name:
        arguments = tuple(map(_arguments, inputs))
        return CallSuite(fn_name=name, args=arguments, expected=tuple(map(_expected, outputs)), **options)
    return StdioSuite(inputs=tuple(map(_text, inputs)), outputs=tuple(map(_text, outputs)), **options)


def _from_pairs(pairs: Sequence[Any], fn_name: str | None, **options: Any) -> StdioSuite | CallSuite:
    """Lower a list of {input, output} (Codeforces, LiveCodeBench's test lists with testtype)."""
    if not pairs or not all(isinstance(pair, Mapping) and {"input", "output"} <= pair.keys() for pair in pairs):
        raise SuiteError("a list of tests must hold objects with `input` and `output`")
    functional = any(pair.get("testtype") == "functional" for pair in pairs)
    if functional and not fn_name:
        raise SuiteError("functional tests without `fn_name`")
    lists = {"inputs": [pair["input"] for pair in pairs], "outputs": [pair["output"] for pair in pairs]}
    return _from_lists({**lists, "fn_name": fn_name}, **options)


def _assert_lines(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    if not isinstance(value, Sequence) or not all(isinstance(line, str) for line in value):
        raise SuiteError("assert tests must be a list of text")
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
        isinstance(n, functions) and n.name.startswith("test") for n in ast.walk(ast.parse(_parsed_source(source)))
    ):
        raise SuiteError("`test_code` defines no test function")
    return source


def _parsed(test_case: Any) -> Any:
    if not isinstance(test_case, str):
        return test_case
    try:
        return json.loads(test_case)
    except ValueError:
        raise SuiteError("tests are text that is not JSON") from None


def _lower(case: Any, options: dict[str, Any]) -> TestSuite:
    if isinstance(case, Sequence) and case and isinstance(case[0], str):
        return AssertSuite(lines=_assert_lines(case), **options)
    if isinstance(case, Sequence):
        return _from_pairs(case, None, **options)
    if not isinstance(case, Mapping):
        raise SuiteError(f"tests are {type(case).__name__}, not an object or a list")
    present = {key for key, value in case.items() if value is not None}
    if "test_code" in present:
        return PytestSuite(test_code=_test_file(case["test_code"]), entry_point=case.get("test_entry_point"), **options)
    for key in ("assert_case", "testcase", "test_list"):
        if key in present:
            setup = _text(case.get("test_setup_code") or "") or None
            return AssertSuite(lines=_assert_lines(case[key]), setup=setup, **options)
    if {"inputs", "outputs"} <= present:
        return _from_lists(case, **options)
    for key in ("functional", "test"):
        if isinstance(case.get(key), str):
            return _humaneval(case, case[key], **options)
    if isinstance(case.get("tests"), Sequence):
        return _from_pairs(_parsed(case["tests"]), case.get("fn_name"), **options)
    raise SuiteError(f"no known test fields among {sorted(map(str, case))[:12]}")


def _sized(suite: TestSuite) -> TestSuite:
    """Return `suite` unless one of its tests is larger than a worker can take, which raises SuiteError."""
    if isinstance(suite, StdioSuite) and max(map(len, suite.inputs)) > MAX_TEST_BYTES:
        raise SuiteError(f"a test has more than {MAX_TEST_BYTES} characters of input")
    return suite


def suite_from(
    test_case: Mapping[str, Any] | Sequence[Any] | str, *, compare: Compare | None = None, max_tests: int | None = None
) -> TestSuite:
    """Return the suite that a dataset's test field describes.

    Takes {inputs, outputs, fn_name?} (LiveCodeBench, TACO, APPS; text or lists of lines), a list of {input, output}
    (Codeforces), {assert_case} or a list of asserts (MBPP, OpenCoder), {test_code, test_entry_point} (KodCode),
    {test, entry_point} (HumanEval), {functional} (LeetCode), or any of these as JSON text. `max_tests` keeps the first
    N tests (DeepDistill §2.4 uses 10). Raises SuiteError with the reason for anything else.
    """
    options: dict[str, Any] = {"max_tests": max_tests}
    if compare is not None:
        options["compare"] = compare
    try:
        return _sized(_lower(_parsed(test_case), options))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SuiteError(f"tests cannot be used: {place}: {first['msg']}" if place else first["msg"]) from None
