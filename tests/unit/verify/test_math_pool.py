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
from tracemill.verify.math.pool import Finding, MathPool, Pair

pytestmark = pytest.mark.slow

INCLUDE = Path(__file__).resolve().parents[3] / "include"
AWKWARD = Path(__file__).with_name("awkward_worker.py")
GIB = 1 << 30
SPIN, SLEEP, HOARD, EASY = (Pair("gold", wish) for wish in ("spin", "sleep", "hoard", "equal"))


def awkward(pairs: list[Pair], cpu_seconds: float = 0.3, memory: int = GIB, workers: int = 2) -> dict[Pair, Finding]:
    def found() -> Iterator[tuple[Pair, Finding]]:
        with MathPool(workers, cpu_seconds, memory, AWKWARD) as pool:
            for pair in pairs:
                yield from pool.submit(pair)
            yield from pool.drain()

    return dict(found())


def test_hanging_inputs_time_out_and_the_others_are_still_judged() -> None:
    hanging = [Pair(str(n), "spin") for n in range(3)]
    easy = [Pair(str(n), "equal") for n in range(3)]
    mixed = [pair for both in zip(hanging, easy, strict=True) for pair in both]
    found = awkward(mixed)
    assert {pair: found[pair] for pair in hanging} == dict.fromkeys(hanging, "timeout")
    assert {pair: found[pair] for pair in easy} == dict.fromkeys(easy, "equal")


def test_a_worker_that_takes_too_much_memory_is_ended() -> None:
    assert awkward([HOARD], cpu_seconds=60, memory=100 << 20, workers=1) == {HOARD: "memory"}


def test_a_worker_that_does_not_even_compute_is_ended_by_the_wall_clock() -> None:
    began = time.monotonic()
    assert awkward([SLEEP], cpu_seconds=0.1, workers=1) == {SLEEP: "timeout"}
    assert time.monotonic() - began < 30  # WALL_FACTOR times its CPU time, and a worker's start; the sleep is an hour


def test_a_pair_whose_worker_is_killed_is_tried_once_more() -> None:
    with MathPool(1, 0.3, GIB, AWKWARD) as pool:
        assert list(pool.submit(SPIN)) == []
        os.kill(next(iter(pool.under_way)), signal.SIGKILL)
        assert dict(pool.drain()) == {SPIN: "timeout"}
        assert list(pool.submit(EASY)) == []
        assert dict(pool.drain()) == {EASY: "equal"}


@pytest.mark.timeout(60)
def test_a_pair_that_kills_two_workers_is_given_up() -> None:
    with MathPool(1, 60.0, GIB, AWKWARD) as pool:
        assert list(pool.submit(SPIN)) == []
        done = threading.Event()
        killer = threading.Thread(target=_kill_each, args=(pool, done))
        killer.start()
        assert dict(pool.drain()) == {SPIN: "crashed"}
        done.set()
        killer.join()


def _kill_each(pool: MathPool, done: threading.Event) -> None:
    killed: set[int] = set()
    while not done.wait(0.02):
        for pid in pool.under_way.keys() - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)


def test_a_worker_that_cannot_start_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text("raise ImportError('a library is broken')")
    with pytest.raises(VerifierError, match="a library is broken"), MathPool(1, 1.0, GIB, broken) as pool:
        list(pool.submit(EASY))


def test_workers_outlive_a_killed_parent_by_their_cpu_seconds_at_most() -> None:
    program = (
        "from pathlib import Path\nfrom tracemill.verify.math.pool import MathPool, Pair\n"
        f"with MathPool(1, 0.5, {GIB}, Path({str(AWKWARD)!r})) as pool:\n"
        "    list(pool.submit(Pair('gold', 'spin')))\n"
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


BOUNDED = (  # each would take minutes, or for ever, if it were worked out as written
    r"9^{9^{9^{9}}}",
    r"((10!)!)!",
    r"2^{10^{9}}-1",
    r"(10^{8})!",
    r"\sum_{k=1}^{1000000000}\sin k",
    r"\int_0^\infty \frac{\sin x}{x} dx",
    r"\binom{10^{9}}{5\cdot 10^{8}}",
    r"\sqrt[999]{7^{40000}}",
    "(" * 900 + "1" + ")" * 900,
    "1," * 1400 + "1",
    r"\frac" * 1000,
    "{" * 3000,
    "9" * 4000,
    "+".join(rf"\sqrt{{{n}}}" for n in range(2, 300)),
    "*".join(["3000!"] * 150),
    "(x+y+z)^{300}" * 30,
)


@pytest.mark.timeout(60)
def test_no_real_comparison_needs_its_limit() -> None:
    began = time.monotonic()
    with MathPool(1, 1.0, GIB) as pool:
        found = [one for text in BOUNDED for one in pool.submit(Pair(r"\frac{\pi}{2}", text))] + list(pool.drain())
    assert len(found) == len(BOUNDED)
    assert {word for _, word in found} <= {"different", "unknown", "unparsable_answer"}
    assert time.monotonic() - began < 50  # three seconds on an idle core, eight pairs at their limit take more
