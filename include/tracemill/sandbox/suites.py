"""What a program is judged against: five kinds of test suite. How a dataset's fields become one is in layouts.py."""

import ast
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tracemill.sandbox.comparators import Compare, SuiteError

MAX_TEST_BYTES = 64 << 20
MAX_TEST_SOURCE = 256 << 10  # its syntax tree takes a few hundred times as much


def parsed_source(source: str) -> str:
    """Return `source` when it is Python, or raise SuiteError."""
    if len(source) > MAX_TEST_SOURCE:
        raise SuiteError(f"the tests are {len(source)} characters of Python, more than {MAX_TEST_SOURCE}")
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SuiteError(f"the tests are not valid Python: {error}") from None
    return source


Python = Annotated[str, AfterValidator(parsed_source)]


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
    """Calls of `fn_name` (also a method of `class Solution`): positional arguments and expected value per test.

    `or_wrapped`: the tests do not tell whether each expected value is a list of one around what is named here. Either
    reading is right, the same for all tests.
    """

    kind: Literal["call"] = "call"
    fn_name: str = Field(min_length=1)
    args: tuple[tuple[Any, ...], ...] = Field(min_length=1)
    expected: tuple[Any, ...]
    or_wrapped: bool = False

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
