"""Whatever a program or its tests write, the supervisor's work is bounded in time and memory, and raises nothing."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.pace import within
from tracemill.sandbox.base import AssertSuite, CallSuite, PytestSuite, SuiteError, suite_from
from tracemill.sandbox.judging.calls import calls_of
from tracemill.sandbox.judging.lowered import lower
from tracemill.sandbox.judging.lowering import NotLowerable
from tracemill.sandbox.judging.results import finished_calls, finished_tests
from tracemill.sandbox.values import values_equal
from tracemill.sandbox.worker.codec import CodecError, encode, to_set

_SECONDS, _BYTES = 4.0, 300 << 20  # 1.1 s at most on a core that does nothing else; minutes without the budget
_PRIME = 2**61 - 1  # Python's hash of an integer is its rest by this prime


def bounded(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, within the supervisor's budget of time."""
    return within(_SECONDS, work)


def frame(value: Any) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps([0, "ok", value]).encode()
    return struct.pack("<I", len(text)) + text


HOSTILE = {
    "colliding-set": {"s": [{"i": hex(n * _PRIME)} for n in range(80_000)]},
    "colliding-frozenset": {"z": [{"i": hex(n * _PRIME)} for n in range(80_000)]},
    "colliding-keys": {"d": [[{"i": hex(n * _PRIME)}, 1] for n in range(80_000)]},
    "colliding-tuples": {"s": [{"t": [{"i": hex(n * _PRIME)}]} for n in range(80_000)]},
    "colliding-floats": {"s": [{"f": float(n * _PRIME).hex()} for n in range(80_000)]},
    "many-lists": [[]] * 2_000_000,
    "many-objects": [{"x": "y"}] * 300_000,
    "many-numbers": list(range(3_000_000)),
    "long-text": "x" * 20_000_000,
    "long-number": {"i": "0x" + "f" * 8_000_000},
    "deep": b"[0,'ok'," + b"[" * 1_000_000,
    "deep-lists": b'[0,"ok",' + b"[" * 150 + b"]" * 150 + b"]",
    "no-json": b"\xff" * 4_000_000,
    "surrogate": ["\ud800"] * 100_000,
    "infinite": {"f": "inf"},
    "huge-complex": {"c": ["0x1p9999", "0x1p9999"]},
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("room", [16 << 10, 4 << 20], ids=["expected-is-small", "expected-is-unknown"])
def test_no_result_costs_more_than_the_budget(name: str, room: int) -> None:
    data = frame(HOSTILE[name])
    for _, value in bounded(lambda: finished_calls(data, [room])):
        assert not bounded(lambda value=value: values_equal(value, [1, 2]))
    assert bounded(lambda: finished_tests(data, 20)) in ([], ["ok"], ["oversize"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["many-lists", "many-objects", "many-numbers", "colliding-tuples"])
def test_no_result_takes_more_memory_than_the_budget(name: str) -> None:
    data = frame(HOSTILE[name])
    tracemalloc.start()
    finished_calls(data, [4 << 20])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < _BYTES


def test_a_right_result_always_has_room() -> None:
    values = [list(range(100_000)), [[1.5, 2]] * 20_000, {str(n): [n] for n in range(20_000)}, "x" * 500_000, None, 7]
    calls = calls_of(CallSuite(fn_name="f", args=((),) * len(values), expected=tuple(values)))
    as_floats = [[float(n) for n in values[0]], [(1.5, 2.0)] * 20_000, *values[2:]]
    for number, (call, value) in enumerate(zip(calls, as_floats, strict=True)):
        text = json.dumps([number, "ok", encode(value)], separators=(",", ":")).encode()
        ((word, got),) = finished_calls(frame(text.replace(b"[%d," % number, b"[0,", 1)), [call.room])
        assert (word, values_equal(got, value)) == ("ok", True)


def test_repeated_values_are_no_collision() -> None:
    assert to_set([1, 2] * 5_000) == {1, 2}
    assert to_set([n % 7 for n in range(9_000)]) == set(range(7))
    assert len(to_set([(n, str(n)) for n in range(9_000)])) == 9_000
    with pytest.raises(CodecError, match="hash"):
        to_set([n * _PRIME for n in range(50)])


TESTS = {
    "nested-loops": "def test_a():\n    for i in range(2000):\n        for j in range(2000):\n            x = i * j\n"
    "    assert f(1) == 2\n",
    "long-loop": "def test_a():\n    for i in range(200000):\n        for j in range(200000):\n            pass\n"
    "    assert f(1) == 2\n",
    "text-of-nested-lists": "def test_a():\n    assert f(1) == str([['x' * 1000] * 200] * 200000)\n",
    "nested-lists": "def test_a():\n    assert f([[[0] * 999] * 999] * 999) == 2\n",
    "doubling": "def test_a():\n    x = [0]\n" + "    x = x + x\n" * 60 + "    assert f(x) == 2\n",
    "doubling-in-displays": "def test_a():\n    x = [0]\n" + "    x = [x, x, x]\n" * 60 + "    assert f(x) == 2\n",
    "squaring": "def test_a():\n    x = 12345\n" + "    x = x * x\n" * 60 + "    assert f(x) == 2\n",
    "powers": "def test_a():\n    assert f(9 ** 9 ** 9 ** 9) == 2\n",
    "text-doubling": "def test_a():\n    x = 'xy'\n" + "    x = x + x\n" * 60 + "    assert f(x) == 2\n",
    "constants": "".join(f"C{n} = [0] * 190000\n" for n in range(900)) + "def test_a():\n    assert f(C0) == 2\n",
    "colliding-literals": "def test_a():\n    assert f(1) == {"
    + ", ".join(str(n * _PRIME) for n in range(9_000))
    + "}\n",
    "many-sets": "def test_a():\n    for i in range(100000):\n        x = {1, 2, 3, i}\n    assert f(1) == 2\n",
    "sorting": "def test_a():\n    for i in range(100000):\n        x = sorted(range(200000))\n    assert f(1) == 2\n",
    "arguments": "X = [0] * 190000\ndef test_a():\n" + "    f(X)\n" * 5_000 + "    assert f(1) == 2\n",
    "many-calls": "def test_a():\n    for i in range(200000):\n        assert f(i) == i\n",
    "negative-repeat": "def test_a():\n    assert f([1] * -5) == []\n",
    "bytes": "def test_a():\n    assert f(b'x' * 10 ** 12) == 2\n",
    "wide-expression": "def test_a():\n    assert f(" + "+".join(["1"] * 200) + ") == 200\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTS)
def test_no_test_costs_more_than_the_budget(name: str) -> None:
    suite = PytestSuite(test_code=f"from solution import f\n\n{TESTS[name]}")

    def lowered() -> int | None:
        try:
            return len(lower(suite))
        except NotLowerable:
            return None

    assert bounded(lowered) == (1 if name in ("negative-repeat", "wide-expression") else None)


@pytest.mark.parametrize(
    "tests",
    [
        {"test_code": "def test_a():\n    assert f([" + "1," * 400_000 + "]) == 2\n"},
        {"test_list": ["assert f(" + "[" * 5_000 + "]" * 5_000 + ") == 1"]},
        {"test_list": ["assert f(1) == 2"] * 40_000},
        {"inputs": ["1"], "outputs": ["[" * 200_000], "fn_name": "f"},
        {"tests": "[" * 300_000},
        {"private_test_cases": "A" * 3_000_000},
    ],
    ids=["a-huge-file", "deep", "many-lines", "deep-json", "deep-text", "no-packed-tests"],
)
def test_no_layout_costs_more_than_the_budget(tests: dict[str, Any]) -> None:
    def read() -> object:
        try:
            return suite_from(tests)
        except SuiteError as error:
            return error

    assert isinstance(bounded(read), (SuiteError, CallSuite, AssertSuite))
