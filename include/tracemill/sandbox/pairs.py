"""Reads tests that are inputs with outputs: whole texts for programs, arguments and values for functions."""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracemill.sandbox.comparators import SuiteError
from tracemill.sandbox.packed import unpacked
from tracemill.sandbox.suites import CallSuite, StdioSuite

_NAMES = ("fn_name", "func_name", "function_name", "entry_point")
_LITERAL_BYTES = 256 << 10


def parsed(value: Any) -> Any:
    """Return what text says as JSON, or as a Python literal (some files hold the `repr` of their tests)."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    if value.lstrip()[:1] in ("[", "{", "(") and len(value) <= _LITERAL_BYTES:
        try:
            return ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            pass
    return unpacked(value)


def text(value: Any) -> str:
    """Return a test's text; a list of lines is joined, and numbers are written as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "\n".join(text(item) for item in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise SuiteError(f"a test input or output is {type(value).__name__}, not text or a list of lines")


def _arguments(value: Any) -> tuple[Any, ...]:
    """Return one call's arguments: a list of them, or text with one JSON value per line."""
    if isinstance(value, str):
        try:
            return tuple(json.loads(line) for line in value.split("\n") if line.strip())
        except (ValueError, RecursionError) as error:
            raise SuiteError(f"call arguments are not one JSON value per line: {error}") from None
    if isinstance(value, Sequence):
        return tuple(value)
    raise SuiteError(f"call arguments are {type(value).__name__}, not a list or JSON lines")


def _is_list_of_one(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1


def json_or_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _call_suite(name: Any, inputs: Sequence[Any], outputs: Sequence[Any], **options: Any) -> CallSuite:
    """Return the calls. Outputs are JSON text where inputs are (LiveCodeBench); TACO and APPS wrap each in a list."""
    if not isinstance(name, str):
        raise SuiteError(f"`fn_name` is {type(name).__name__}, not text")
    as_text = any(isinstance(value, str) for value in inputs)
    expected = [json_or_text(value) if as_text else value for value in outputs]
    wrapped = bool(outputs) and all(map(_is_list_of_one, outputs))
    if wrapped:
        expected = [value[0] for value in outputs]
    return CallSuite(
        fn_name=name, args=tuple(map(_arguments, inputs)), expected=tuple(expected), or_wrapped=wrapped, **options
    )


def from_lists(case: Mapping[str, Any], name: Any, **options: Any) -> StdioSuite | CallSuite:
    inputs = parsed(case["inputs"])
    outputs = parsed(case["outputs"])
    if not all(isinstance(part, Sequence) and not isinstance(part, str) for part in (inputs, outputs)):
        raise SuiteError("`inputs` and `outputs` must be lists")
    if name:
        return _call_suite(name, inputs, outputs, **options)
    return StdioSuite(inputs=tuple(map(text, inputs)), outputs=tuple(map(text, outputs)), **options)


def pairs(part: Any) -> Iterator[Mapping[str, Any]]:
    """Yield {input, output} objects of one column: a list of them, one of them, or two lists side by side."""
    part = parsed(part)
    if part is None:
        return
    if isinstance(part, Mapping):
        for one, other in (("input", "output"), ("inputs", "outputs")):
            if one in part and other in part:
                yield from _side_by_side(part[one], part[other], part)
                return
    if isinstance(part, str) or not isinstance(part, Sequence):
        raise SuiteError("a list of tests must hold objects with `input` and `output`")
    for pair in map(parsed, part):
        if not isinstance(pair, Mapping) or not {"input", "output"} <= pair.keys():
            raise SuiteError("a list of tests must hold objects with `input` and `output`")
        yield pair


def _side_by_side(said: Any, expected: Any, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """One test a pair of two lists; what is no list is one test, in the very words of the row ("1.50" is no number)."""
    inputs = parsed(said)
    outputs = parsed(expected)
    if isinstance(inputs, str) or not isinstance(inputs, Sequence):
        yield {**part, "input": said, "output": expected}
        return
    if isinstance(outputs, str) or not isinstance(outputs, Sequence) or len(inputs) != len(outputs):
        count = len(outputs) if isinstance(outputs, Sequence) else 0
        raise SuiteError(f"{len(inputs)} inputs but {count} outputs")
    yield from ({"input": one, "output": other} for one, other in zip(inputs, outputs, strict=True))


def from_pairs(tests: Sequence[Mapping[str, Any]], name: Any, **options: Any) -> StdioSuite | CallSuite:
    """Return the suite of {input, output} pairs; those of testtype "functional" call `name`."""
    if not tests:
        raise SuiteError("no tests: a list of tests must hold objects with `input` and `output`")
    functional = any(pair.get("testtype") == "functional" for pair in tests)
    if functional and not name:
        raise SuiteError("functional tests without `fn_name`")
    calls = name if functional or not any("testtype" in pair for pair in tests) else None
    lists = {"inputs": [pair["input"] for pair in tests], "outputs": [pair["output"] for pair in tests]}
    return from_lists(lists, calls, **options)


def function_name(case: Mapping[str, Any]) -> Any:
    """Return the function that tests call: named, in LiveCodeBench's `metadata`, or the one that starter code has."""
    for key in _NAMES:
        if case.get(key):
            return case[key]
    metadata = parsed(case["metadata"]) if isinstance(case.get("metadata"), (str, Mapping)) else None
    if isinstance(metadata, Mapping) and metadata.get("func_name"):
        return metadata["func_name"]
    return _starter_name(case.get("starter_code"))


def _starter_name(source: Any) -> str | None:
    """Return the last function of a starter code, whose body is often left out."""
    if not isinstance(source, str) or len(source) > _LITERAL_BYTES or "def " not in source:
        return None
    names = [line.strip()[4:].split("(")[0].strip() for line in source.split("\n") if line.strip().startswith("def ")]
    public = [name for name in names if name.isidentifier() and not name.startswith("_")]
    return public[-1] if public else None


def distinct(tests: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tests without repetitions: examples are often among the hidden tests too."""
    by_text = {json.dumps([pair["input"], pair["output"]], default=str): pair for pair in tests}
    return list(by_text.values())
