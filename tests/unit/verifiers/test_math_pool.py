"""No input hangs the pool, and no death of a worker loses a pair or passes for "different"."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracemill.errors import VerifierError
from tracemill.verifiers.math_pool import WALL_FACTOR, Finding, MathPool, Pair

INCLUDE = Path(__file__).resolve().parents[3] / "include"
GIB = 1 << 30
SLOW = Pair(r"\frac{\pi}{2}", r"(10^8)!")
HANGING = (  # each runs for minutes, or for ever, in math-verify without its time-outs
    r"9^{9^{9^9}}",
    r"((10!)!)!",
    r"\sum_{k=1}^{1000000000}\sin k",
    r"\int_0^\infty \frac{\sin x}{x} dx",
)


def compare(pairs: list[Pair], cpu_seconds: float = 10.0, memory: int = GIB, workers: int = 2) -> dict[Pair, Finding]:
    def found() -> Iterator[tuple[Pair, Finding]]:
        with MathPool(workers, cpu_seconds, memory) as pool:
            for pair in pairs:
                yield from pool.submit(pair)
            yield from pool.drain()

    return dict(found())


@pytest.mark.timeout(300)
def test_hanging_inputs_time_out_and_the_others_are_still_judged() -> None:
    hanging = [Pair(r"\frac{\pi}{2}", text) for text in HANGING]
    easy = [Pair(r"\frac{\pi}{2}", rf"\frac{{{n}\pi}}{{{2 * n}}}") for n in range(1, len(hanging) + 1)]
    mixed = [pair for both in zip(hanging, easy, strict=True) for pair in both]
    found = compare(mixed, cpu_seconds=0.5)
    assert {pair: found[pair] for pair in hanging} == dict.fromkeys(hanging, "timeout")
    assert {pair: found[pair] for pair in easy} == dict.fromkeys(easy, "equal")


PAIRS: dict[str, tuple[str, str, Finding]] = {
    "interval_gold": ("(1,2)", "1<x<2", "different"),
    "relation_gold": ("1<x<2", "(1,2)", "equal"),
    "assignment": ("x=5", "5", "equal"),
    "set": (r"\{1,2\}", "2,1", "equal"),
    "unparsable_gold": ("???", "5", "unparsable_gold"),
    "same_chinese_text": ("无解", "无解", "same_text"),
    "no_mathematics": ("5", "???", "different"),
    "empty_answer": ("5", r"\text{}", "unparsable_answer"),
    "lone_surrogate": ("\ud800", "5", "unparsable_gold"),
}


@pytest.fixture(scope="module")
def findings() -> dict[Pair, Finding]:
    return compare([Pair(gold, answer) for gold, answer, _ in PAIRS.values()])


@pytest.mark.parametrize(("gold", "answer", "finding"), PAIRS.values(), ids=PAIRS)
def test_the_reference_is_the_first_argument(
    gold: str, answer: str, finding: Finding, findings: dict[Pair, Finding]
) -> None:
    assert findings[Pair(gold, answer)] == finding


def test_a_worker_that_takes_too_much_memory_is_ended() -> None:
    greedy = Pair("1", r"2^{10^9}-1")
    assert compare([greedy], cpu_seconds=60, memory=100 << 20, workers=1) == {greedy: "memory"}


def test_a_worker_that_does_not_even_compute_is_ended_by_the_wall_clock() -> None:
    with MathPool(1, 0.2, GIB) as pool:
        assert list(pool.submit(Pair("1", "x"))) == []
        assert dict(pool.drain()) == {Pair("1", "x"): "different"}
        assert list(pool.submit(SLOW)) == []
        os.kill(next(iter(pool.under_way)), signal.SIGSTOP)
        began = time.monotonic()
        assert dict(pool.drain()) == {SLOW: "timeout"}
        assert time.monotonic() - began < WALL_FACTOR * 0.2 + 5


def test_a_pair_whose_worker_is_killed_is_tried_once_more() -> None:
    with MathPool(1, 0.5, GIB) as pool:
        assert list(pool.submit(SLOW)) == []
        os.kill(next(iter(pool.under_way)), signal.SIGKILL)
        assert dict(pool.drain()) == {SLOW: "timeout"}
        assert list(pool.submit(Pair("2x", "x+x"))) == []
        assert dict(pool.drain()) == {Pair("2x", "x+x"): "equal"}


def test_a_pair_that_kills_two_workers_is_given_up() -> None:
    with MathPool(1, 60.0, GIB) as pool:
        assert list(pool.submit(SLOW)) == []
        done = threading.Event()
        killer = threading.Thread(target=_kill_each, args=(pool, done))
        killer.start()
        assert dict(pool.drain()) == {SLOW: "crashed"}
        done.set()
        killer.join()


def _kill_each(pool: MathPool, done: threading.Event) -> None:
    killed: set[int] = set()
    while not done.wait(0.02):
        for pid in pool.under_way.keys() - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)


def test_a_worker_that_cannot_start_is_an_error_and_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "math_verify.py").write_text("raise ImportError('math-verify is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(VerifierError, match="math-verify is broken"):
        compare([Pair("x", "y")])


def test_workers_do_not_use_gmpy2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gmpy2.py").write_text("raise SystemExit('gmpy2 was imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert compare([Pair("2x", "x+x")], workers=1) == {Pair("2x", "x+x"): "equal"}


def test_workers_outlive_a_killed_parent_by_their_cpu_seconds_at_most() -> None:
    program = (
        "from tracemill.verifiers.math_pool import MathPool, Pair\n"
        f"with MathPool(1, 0.5, {GIB}) as pool:\n"
        f"    list(pool.submit(Pair({SLOW.gold!r}, {SLOW.answer!r})))\n"
        "    print(*pool.under_way, flush=True)\n"
        "    while True: pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(INCLUDE)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
