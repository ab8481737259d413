"""Frames, values and the system call filter: what crosses the border is data of a known shape, nothing else."""

import json
import math
import struct
from collections import deque
from typing import Any

import pytest

from tracemill.sandbox.judging.results import finished_calls, finished_tests
from tracemill.sandbox.worker import seccomp
from tracemill.sandbox.worker.codec import CodecError, Nodes, Opaque, decode, encode
from tracemill.sandbox.worker.frames import MAX_BLOB, FrameBuffer, FrameError, pack

VALUES = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    float("inf"),
    "é\udc80",
    b"\0x",
    1j,
    [],
    [1, "a"],
    (1, (2,)),
    {1: [2], "a": {3}},
]
VALUES += [frozenset({1}), deque([1]), [True, 1], Nodes("L", [1, 2])]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_survive_with_their_types(value: Any) -> None:
    back = decode(json.loads(json.dumps(encode(value))))
    assert back == value
    assert type(back) is type(value)


def test_nan_stays_nan() -> None:
    assert math.isnan(decode(encode(float("nan"))))


class _Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize("value", [_Liar(9), [_Liar(9)], {"a": _Liar(9)}], ids=["bare", "in-list", "in-dict"])
def test_an_object_that_equals_everything_arrives_as_its_base(value: Any) -> None:
    assert decode(encode(value)) not in (8, [8], {"a": 8})


def test_what_has_no_plain_form_equals_nothing() -> None:
    got = decode(encode([object()]))
    assert isinstance(got[0], Opaque)
    assert not got[0].__eq__(got[0]), "not even itself"


@pytest.mark.parametrize(
    "data",
    [{"f": 1}, {"i": "zz"}, {"q": 3}, {"a": 1, "b": 2}, {"d": [[1]]}, {"s": [[1]]}, 1.5, {"x": []}, {"nonsense": 1}],
    ids=str,
)
def test_garbage_is_refused(data: Any) -> None:
    with pytest.raises(CodecError):
        decode(data)


def test_a_bomb_of_brackets_is_refused() -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(CodecError, match="deep"):
        decode(deep)


def test_frames_arrive_whole_however_the_stream_is_cut() -> None:
    stream = pack({"a": 1}, b"xyz") + pack({"b": 2})
    buffer = FrameBuffer()
    got = [frame for at in range(len(stream)) for frame in buffer.feed(stream[at : at + 1])]
    assert got == [({"a": 1}, b"xyz"), ({"b": 2}, b"")]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<II", 2, MAX_BLOB + 1),
        struct.pack("<II", 2**31, 0),
        struct.pack("<II", 2, 0) + b"[]",
        pack({})[:-1] + b"!",
    ],
    ids=["blob-too-long", "json-too-long", "not-an-object", "not-json"],
)
def test_a_stream_that_is_no_frames_is_an_error(data: bytes) -> None:
    with pytest.raises(FrameError):
        FrameBuffer().feed(data)


def _frames(*messages: Any) -> bytes:
    parts = [json.dumps(message).encode() for message in messages]
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


@pytest.mark.parametrize(
    ("data", "calls"),
    [
        pytest.param(_frames([0, "ok", 1], [1, "ok", {"t": [2]}]), [("ok", 1), ("ok", (2,))], id="in-order"),
        pytest.param(_frames([1, "ok", 1]), [], id="out-of-turn"),
        pytest.param(_frames([0, "ok", 1], [0, "ok", 9]), [("ok", 1)], id="said-twice"),
        pytest.param(_frames([0, "ok", {"nonsense": 1}]), [("garbled", None)], id="garbled"),
        pytest.param(_frames([0, "ok", 1])[:-1], [], id="cut-off"),
        pytest.param(_frames({"0": "ok"}), [], id="not-a-list"),
        pytest.param(b"\xff" * 64, [], id="noise"),
        pytest.param(struct.pack("<I", 200_000) + b"[" * 200_000, [("oversize", None)], id="bomb"),
        pytest.param(
            _frames(*([n, "ok", n] for n in range(5))), [("ok", 0), ("ok", 1), ("ok", 2)], id="more-than-asked"
        ),
    ],
)
def test_result_frames_are_believed_in_nothing(data: bytes, calls: list[Any]) -> None:
    assert finished_calls(data, [1 << 20] * 3) == calls


def test_group_frames_stop_at_the_first_that_is_missing() -> None:
    assert finished_tests(_frames([0, "ok", 0.1], [2, "ok", 0.1]), 3) == ["ok"]


def _decide(
    steps: list[seccomp.Instruction], call: int, arguments: tuple[int, ...] = (), arch: int = 0xC000003E
) -> int:
    """Emulate the filter for one call; returns the kernel's action."""
    words = struct.pack("<II8x", call & 0xFFFFFFFF, arch) + struct.pack("<6Q", *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    value, at = 0, 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", words, operand)
        elif code == 0x05:
            at += operand
        elif code == 0x06:
            return operand
        else:
            truth = value == operand if code == 0x15 else value >= operand if code == 0x35 else bool(value & operand)
            at += yes if truth else no


ALLOW = 0x7FFF0000


@pytest.mark.parametrize("number", range(460))
def test_the_filter_allows_exactly_the_table(number: int) -> None:
    special = {16, 53, 56, 57, 58, 59, 62, 157, 234, 302, 435}
    if number not in special:
        listed = any(low <= number <= high for low, high in seccomp._PLAIN)
        assert (_decide(seccomp.program(), number) == ALLOW) is listed


@pytest.mark.parametrize(
    ("rights", "call", "arguments", "allowed"),
    [
        pytest.param({}, 56, (0x10000 | 0x100,), True, id="thread"),
        pytest.param({}, 56, (17,), False, id="fork-by-clone"),
        pytest.param({"allow_fork": True}, 56, (17,), True, id="fork-by-clone-when-allowed"),
        pytest.param({"allow_fork": True}, 56, (0x10000000 | 17,), False, id="namespace-never"),
        pytest.param({}, 57, (), False, id="fork"),
        pytest.param({}, 59, (), False, id="exec"),
        pytest.param({"allow_exec": True}, 59, (), True, id="exec-when-allowed"),
        pytest.param({}, 157, (15,), True, id="set-thread-name"),
        pytest.param({}, 157, (38,), False, id="other-prctl"),
        pytest.param({}, 302, (0, 7, 0), True, id="read-limits"),
        pytest.param({}, 302, (0, 7, 1 << 40), False, id="set-limits-high-pointer"),
        pytest.param({}, 53, (1,), True, id="socketpair-unix"),
        pytest.param({}, 53, (2,), False, id="socketpair-inet"),
        pytest.param({}, 41, (1,), False, id="socket"),
        pytest.param({}, 62, (1, 9), True, id="kill-inside-its-own-pid-namespace"),
        pytest.param({"own_pid_only": True}, 62, (1, 9), False, id="kill-others-in-a-container"),
        pytest.param({"own_pid_only": True}, 62, (seccomp._OWN_PID, 9), True, id="kill-itself"),
        pytest.param({}, 16, (0, 0x5413), True, id="window-size"),
        pytest.param({}, 16, (0, 0x5412), False, id="type-into-the-terminal"),
    ],
)
def test_calls_that_depend_on_arguments(
    rights: dict[str, bool], call: int, arguments: tuple[int, ...], allowed: bool
) -> None:
    assert (_decide(seccomp.program(**rights), call, arguments) == ALLOW) is allowed


def test_other_architectures_are_killed() -> None:
    assert _decide(seccomp.program(), 0, arch=0x40000003) == 0x80000000
    assert _decide(seccomp.program(), 0x40000000) == 0x80000000
