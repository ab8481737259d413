"""Scripts of judgement, played against a scripted worker: what is believed of a group, and what is run again."""

import json
import struct
from typing import Any

import pytest

from tracemill.sandbox.base import CallSuite, Job, JobVerdict, Limits, Status, StdioSuite, suite_from
from tracemill.sandbox.dispatch import MAX_SOURCE_BYTES, refused, script_for
from tracemill.sandbox.judging.script import LanguageUnavailable, ProgramLost, ending

LIMITS = Limits(cpu_seconds=2, output_bytes=1024)
SUITE = StdioSuite(inputs=("1", "2", "3"), outputs=("1", "2", "3"))
CLEAN = {"exit": 0, "idle": False, "cpu": 0.1, "wall": 0.1, "stderr": 0, "stderr_size": 0, "results": 0}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({}, None, id="well"),
        pytest.param({"exit": 1}, Status.RUNTIME_ERROR, id="exit-1"),
        pytest.param({"exit": -11}, Status.RUNTIME_ERROR, id="segfault"),
        pytest.param({"exit": -9}, Status.RUNTIME_ERROR, id="killed-itself"),
        pytest.param({"exit": -9, "oom": True}, Status.MEMORY_LIMIT, id="killed-for-memory"),
        pytest.param({"exit": 91}, Status.MEMORY_LIMIT, id="memory-error"),
        pytest.param({"exit": -24}, Status.TIME_LIMIT, id="cpu-signal"),
        pytest.param({"cpu": 2.1}, Status.TIME_LIMIT, id="children-used-the-cpu"),
        pytest.param({"exit": -9, "idle": True}, Status.TIME_LIMIT, id="sleeper"),
        pytest.param({"wall": 500.0}, None, id="a-crowded-machine-is-no-fault"),
        pytest.param({"sizes": [1024]}, Status.OUTPUT_LIMIT, id="stdout-full"),
        pytest.param({"stderr_size": 1024}, Status.OUTPUT_LIMIT, id="stderr-full"),
    ],
)
def test_the_kernels_report_decides(change: dict[str, Any], status: Status | None) -> None:
    assert ending({**CLEAN, "sizes": [0], **change}, LIMITS) is status


def _group(outputs: list[bytes], words: list[str], **change: Any) -> tuple[dict[str, Any], bytes]:
    frames = [json.dumps([at, word, 0.1]).encode() for at, word in enumerate(words)]
    results = b"".join(struct.pack("<I", len(frame)) + frame for frame in frames)
    sizes = [len(output) for output in outputs]
    report = {**CLEAN, "event": "ran", "sizes": sizes, "lengths": sizes, "results": len(results), **change}
    return report, b"".join(outputs) + results


def _play(*answers: tuple[dict[str, Any], bytes]) -> tuple[JobVerdict, list[str]]:
    """Run the script of `SUITE` against these answers; returns the verdict and the modes that were ordered."""
    script = script_for(Job(id="j", source="x", suite=SUITE), LIMITS)
    first = next(script)
    assert first is not None
    modes = [first.message["first"]["mode"]]
    queue = [*answers]
    try:
        for answer in queue:
            order = script.send(answer)
            if order is not None:
                modes.append(order.message["mode"])
    except StopIteration as stop:
        return stop.value, modes
    raise AssertionError("the script wants more answers")


def _alone(output: bytes, **change: Any) -> tuple[dict[str, Any], bytes]:
    return {**CLEAN, "event": "ran", "sizes": [len(output)], "lengths": [len(output)], **change}, output


def test_a_group_that_is_right_needs_no_second_run() -> None:
    verdict, modes = _play(_group([b"1", b"2", b"3"], ["ok"] * 3))
    assert (verdict.status, verdict.score, modes) == (Status.ACCEPTED, 1.0, ["group"])


def test_a_wrong_output_of_a_group_is_run_alone_before_it_counts() -> None:
    verdict, modes = _play(_group([b"1", b"?", b"3"], ["ok"] * 3), _alone(b"2"))
    assert (verdict.status, modes) == (Status.ACCEPTED, ["group", "alone"])
    verdict, _ = _play(_group([b"1", b"?", b"3"], ["ok"] * 3), _alone(b"?"))
    assert (verdict.status, verdict.passed) == (Status.WRONG_ANSWER, 2)


def test_a_group_over_one_tests_time_is_not_believed() -> None:
    verdict, modes = _play(_group([b"1", b"2", b"3"], ["ok"] * 3, cpu=2.5), *[_alone(c) for c in (b"1", b"2", b"3")])
    assert (verdict.status, modes) == (Status.ACCEPTED, ["group", "alone", "alone", "alone"])


def test_a_group_that_ended_badly_is_not_believed() -> None:
    verdict, modes = _play(_group([b"1", b"2", b"3"], ["ok"] * 3, exit=1), *[_alone(c) for c in (b"1", b"2", b"3")])
    assert (verdict.status, modes) == (Status.ACCEPTED, ["group", "alone", "alone", "alone"])


def test_a_test_over_time_leaves_the_others_their_score() -> None:
    verdict, modes = _play(_group([b"", b"", b""], [], exit=-24), _group([b"2", b"3"], ["ok", "ok"]))
    assert (verdict.status, verdict.passed, modes) == (Status.TIME_LIMIT, 2, ["group", "group"])
    assert verdict.detail["tests"] == ["time_limit_exceeded", "accepted", "accepted"]


def test_two_tests_over_time_in_a_row_end_the_program() -> None:
    verdict, modes = _play(_group([b"", b"", b""], [], exit=-24), _group([b"", b""], [], exit=-24))
    assert (verdict.status, verdict.passed, modes) == (Status.TIME_LIMIT, 0, ["group", "group"])
    assert verdict.detail["tests"] == ["time_limit_exceeded", "time_limit_exceeded", "not_run"]


def test_a_test_behind_the_first_of_a_group_is_run_alone_before_it_is_over_time() -> None:
    verdict, modes = _play(_group([b"1", b"", b""], ["ok"], exit=-24), _alone(b"2", cpu=1.7), _alone(b"3"))
    assert (verdict.status, modes) == (Status.ACCEPTED, ["group", "alone", "alone"])


def test_a_lost_process_is_never_a_verdict() -> None:
    with pytest.raises(ProgramLost):
        _play(({"event": "died", "exit": -9, "built": True}, b""))


def test_expected_values_are_in_no_order() -> None:
    suite = StdioSuite(inputs=("1",), outputs=("secret-answer",))
    order = next(script_for(Job(id="j", source="x", suite=suite), LIMITS))
    assert order is not None
    assert b"secret" not in order.blob + json.dumps(order.message).encode()
    call = suite_from({"inputs": ["1"], "outputs": ['"secret-answer"'], "fn_name": "f"})
    order = next(script_for(Job(id="j", source="x", suite=call), LIMITS))
    assert order is not None
    assert b"secret" not in order.blob + json.dumps(order.message).encode()


@pytest.mark.parametrize(
    ("source", "language", "why"),
    [
        pytest.param(" \n", "python", "empty", id="empty"),
        pytest.param("x" * (MAX_SOURCE_BYTES + 1), "python", "characters", id="huge"),
    ],
)
def test_some_programs_need_no_sandbox_to_be_refused(source: str, language: str, why: str) -> None:
    job = Job.model_validate({"id": "j", "source": source, "language": language, "suite": SUITE})
    verdict = refused(job)
    assert verdict is not None
    assert verdict.status is Status.COMPILE_ERROR
    assert why in verdict.reason
    assert refused(job.model_copy(update={"source": "print(1)"})) is None


@pytest.mark.parametrize(
    ("language", "tests", "why"),
    [("cpp", ["assert f(1) == 1"], r"C\+\+.*standard input"), ("cobol", {"inputs": ["1"], "outputs": ["1"]}, "cobol")],
    ids=["functions-of-another-language", "a-language-that-nobody-runs-here"],
)
def test_what_cannot_be_run_shows_nothing(language: str, tests: Any, why: str) -> None:
    job = Job(id="j", source="int main() {}", language=language, suite=suite_from(tests))
    with pytest.raises(LanguageUnavailable, match=why):
        next(script_for(job, LIMITS))


def test_large_calls_are_sent_in_several_orders() -> None:
    calls = CallSuite(fn_name="f", args=(("x" * 5_000_000,),) * 3, expected=(1, 1, 1))
    script = script_for(Job(id="j", source="x", suite=calls), LIMITS)
    order = next(script)
    assert order is not None
    assert len(json.loads(order.blob[1:])) == 2, "the source is one byte; two calls are over the size of an order"
