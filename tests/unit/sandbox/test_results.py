"""What a program writes about itself is read without harm, whatever it is: rubbish reads as the end of its report."""

import json
import random
import struct
from typing import Any

import pytest

from tracemill.sandbox.judging.results import finished_calls, finished_tests
from tracemill.sandbox.judging.testfiles import outcomes
from tracemill.sandbox.values import values_equal

_PIECES: tuple[Any, ...] = (
    *(0, 1, -1, True, None, 2.5, float("nan"), float("inf"), 10**40, "ok", "pass", "raised", "end", "\ud800", ""),
    *({"i": "0x" + "f" * 9000}, {"f": "inf"}, {"f": 3}, {"d": [[1]]}, {"d": {}}, {"s": [[1]]}, {"x": "T"}, {"t": 5}),
    *({"L": [1]}, {"b": "zz"}, {"?": 1}, [], {}),
)


def _value(draw: random.Random, depth: int = 0) -> Any:
    if depth > 4 or draw.random() < 0.5:
        return draw.choice(_PIECES)
    if draw.random() < 0.6:
        return [_value(draw, depth + 1) for _ in range(draw.randint(0, 3))]
    return {draw.choice("dtszqbcifxLT"): [[_value(draw, depth + 1), _value(draw, depth + 1)]]}


def _report(draw: random.Random) -> bytes:
    data = bytearray()
    for at in range(draw.randint(1, 4)):
        frame = json.dumps([at, _value(draw), _value(draw)] if draw.random() < 0.8 else _value(draw)).encode()
        data += struct.pack("<I", len(frame) + (draw.random() < 0.05)) + frame
    if draw.random() < 0.2:
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("seed", range(20))
def test_no_report_of_a_program_raises(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(100):
        data = _report(draw)
        assert len(finished_tests(data, 3)) <= 3
        for name, word, text in outcomes(data)[0]:
            assert {type(name), type(word), type(text)} == {str}
        for _, value in finished_calls(data, [1 << 20] * 3):
            assert values_equal(value, _value(draw)) in (True, False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(5, id="a-number-for-name-and-text"),
        pytest.param(["one"], id="one-of-two"),
        pytest.param(["a", "b", "c"], id="three-of-two"),
        pytest.param([["a"], "b"], id="a-list-for-a-name"),
    ],
)
def test_a_misshapen_outcome_ends_the_report(body: Any) -> None:
    good, bad = (json.dumps(frame).encode() for frame in ([0, "pass", ["one", ""]], [1, "pass", body]))
    data = b"".join(struct.pack("<I", len(frame)) + frame for frame in (good, bad, good))
    assert outcomes(data) == ([("one", "pass", "")], False, 0)


def test_a_key_too_long_to_write_is_another_key() -> None:
    assert not values_equal({10**5000: 1}, {"a": 1})
    assert not values_equal({10**5000: 1}, {10**5000 + 1: 1})
    assert values_equal({12: 1}, {"12": 1})
