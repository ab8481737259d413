"""The sandbox under bad luck and bad input: killed workers and supervisors, rubbish, machines without isolation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import pytest

from tracemill.sandbox.base import (
    CallSuite,
    Job,
    Limits,
    SandboxError,
    SandboxSettings,
    SandboxUnavailable,
    Status,
    StdioSuite,
    suite_from,
)
from tracemill.sandbox.pool import Pool, open_sandbox

ROOT = Path(__file__).parents[3]
SUM = StdioSuite(inputs=("1 2\n",), outputs=("3\n",))
GOOD = "print(sum(map(int, input().split())))"
SLEEPER = "import time\ntime.sleep(100)"
LONG = Limits(cpu_seconds=60, wall_seconds=120)


def _table() -> dict[int, int]:
    """Return the parent of every living process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(") ")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def _below(root: int) -> set[int]:
    parents, found = _table(), {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _await_processes(supervisor: int, count: int) -> set[int]:
    """Wait until both slots hold a program: launcher, worker, program process and test process each."""
    end = time.monotonic() + 30
    while len(processes := _below(supervisor)) < count:
        assert time.monotonic() < end, f"only {len(processes)} processes"
        time.sleep(0.05)
    time.sleep(0.5)
    return processes


def _groups(supervisor: int) -> list[Path]:
    """Return the control groups of a supervisor's slots; deeper ones come and go with other programs."""
    name = f"tracemill-{supervisor}-*"
    return [*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")]


def _leftovers(supervisor: int, processes: set[int]) -> list[str]:
    groups = [str(path) for path in _groups(supervisor)]
    alive = [str(pid) for pid in processes & set(_table())]
    return groups + alive


def _containers(settings: SandboxSettings) -> set[str]:
    if settings.kind != "docker":
        return set()
    import docker
    from tracemill.sandbox.backends.docker import LABEL

    return {c.id for c in docker.from_env().containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)}


def _seconds_to_clean(settings: SandboxSettings) -> float:
    """Kill a supervisor whose two programs sleep; return the seconds until nothing of it is left."""
    before = _containers(settings)
    program = (
        "import sys\nfrom tracemill.sandbox.base import *\nfrom tracemill.sandbox.pool import open_sandbox\n"
        f"settings = SandboxSettings.model_validate_json({settings.model_dump_json()!r})\n"
        "with open_sandbox(settings) as sandbox:\n    print('ready', flush=True)\n"
        f"    list(sandbox.judge(Job(id=str(n), source={SLEEPER!r}, suite=StdioSuite(inputs=('',), outputs=('',)),"
        " limits=Limits(cpu_seconds=60)) for n in range(2)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"ready\n"
        processes = _await_processes(supervisor.pid, 8 if settings.kind == "namespace" else 0)
        supervisor.send_signal(signal.SIGKILL)
        killed = time.monotonic()
    while left := [*_leftovers(supervisor.pid, processes), *(_containers(settings) - before)]:
        assert time.monotonic() - killed < 30, left
        time.sleep(0.02)
    return time.monotonic() - killed


def test_sigkill_of_the_supervisor_leaves_nothing_within_a_second(settings: SandboxSettings) -> None:
    """The best of three decides: a machine that gives no processor for a second says nothing about the sandbox."""
    took: list[float] = []
    while len(took) < 3 and min(took, default=9.0) >= 1.0:
        took.append(_seconds_to_clean(settings))
    print(f"{settings.kind}: clean after {', '.join(f'{seconds:.2f}' for seconds in took)} s")
    assert min(took) < 1.0, took


def test_leaving_the_sandbox_leaves_nothing() -> None:
    before = _below(os.getpid())
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        list(sandbox.judge(Job(id=str(n), source=GOOD, suite=SUM) for n in range(4)))
        running = _below(os.getpid()) - before
    assert running
    assert not [pid for pid in running if pid in _table()]
    assert not _groups(os.getpid())


def _kill_workers(pool: Pool) -> None:
    for lane in pool._lanes:
        for tenant in lane.tenants.values():
            tenant.slot._process.send_signal(signal.SIGTERM)  # type: ignore[attr-defined]


def test_a_killed_worker_costs_a_second_try_and_no_verdict() -> None:
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        assert isinstance(sandbox, Pool)
        verdicts = sandbox.judge(Job(id=str(n), source=GOOD, suite=SUM) for n in range(3))
        assert next(verdicts).status is Status.ACCEPTED
        _kill_workers(sandbox)
        assert [v.status for v in verdicts] == [Status.ACCEPTED] * 2


def test_a_sandbox_that_also_loses_its_canary_is_an_error_never_a_verdict() -> None:
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        assert isinstance(sandbox, Pool)
        lane = sandbox._lanes[0]
        honest = lane._start

        def dying(role: str):  # type: ignore[no-untyped-def]
            slot = honest(role)
            slot._process.send_signal(signal.SIGTERM)  # type: ignore[attr-defined]
            return slot

        lane._start = dying
        _kill_workers(sandbox)
        with pytest.raises(SandboxError, match="twice on job doomed, then on a harmless program"):
            list(sandbox.judge([Job(id="doomed", source=GOOD, suite=SUM)]))
        lane._start = honest
        assert next(sandbox.judge([Job(id="after", source=GOOD, suite=SUM)])).status is Status.ACCEPTED


# Under a memory ceiling of 64 MiB the worker cannot read back 30 MiB of output: the kernel kills it, not the program.
# It reads no more than a right output can have, so much is expected.
LONG_OUTPUT = StdioSuite(inputs=("1 2\n",), outputs=("x" * (8 << 20),))
KILLER = "import os\nfor _ in range(30): os.write(1, b'x' * (1 << 20))"


def test_a_program_that_takes_its_worker_down_twice_is_judged_and_stops_nothing(settings: SandboxSettings) -> None:
    if settings.kind == "namespace" and os.getuid() != 0:
        pytest.skip("an ordinary user's worker has no memory ceiling that could kill it")
    small = settings.model_copy(update={"memory_bytes": 64 << 20, "workers": 1})
    flood = Limits(output_bytes=64 << 20)
    jobs = [Job(id="before", source=GOOD, suite=SUM), Job(id="killer", source=KILLER, suite=LONG_OUTPUT, limits=flood)]
    jobs.append(Job(id="after", source=GOOD, suite=SUM))
    with open_sandbox(small) as sandbox:
        got = {verdict.id: verdict for verdict in sandbox.judge(jobs)}
    assert got["killer"].status is Status.RUNTIME_ERROR, got["killer"]
    assert got["killer"].detail["slots_lost"] == 2
    assert "took its worker down 2 times" in got["killer"].reason
    assert (got["killer"].score, got["killer"].tested) == (0.0, 1)
    assert got["before"].status is got["after"].status is Status.ACCEPTED


@pytest.mark.parametrize(
    ("source", "status"),
    [
        pytest.param("x" * 100_000_000, Status.COMPILE_ERROR, id="a-hundred-megabytes"),
        pytest.param("".join(map(chr, range(256))) * 99, Status.COMPILE_ERROR, id="binary-rubbish"),
        pytest.param("print(1)\0\0", Status.COMPILE_ERROR, id="nul-bytes"),
        pytest.param("\ud800", Status.COMPILE_ERROR, id="half-a-surrogate"),
        pytest.param("a=1\n" * 200_000, Status.WRONG_ANSWER, id="two-hundred-thousand-lines"),
    ],
)
def test_rubbish_gets_a_verdict(source: str, status: Status) -> None:
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        assert next(sandbox.judge([Job(id="j", source=source, suite=SUM)])).status is status


def test_ten_thousand_tests_get_a_verdict(settings: SandboxSettings) -> None:
    many = StdioSuite(inputs=SUM.inputs * 10_000, outputs=SUM.outputs * 10_000)
    calls = CallSuite(fn_name="f", args=((1,),) * 10_000, expected=(1,) * 10_000)
    jobs = [
        Job(id="right", source=GOOD, suite=many),
        Job(id="hangs", source="while True: pass", suite=many, limits=Limits(cpu_seconds=1)),
        Job(id="calls", source="def f(x): return x", suite=calls),
        Job(id="first-ten", source=GOOD, suite=many.model_copy(update={"max_tests": 10})),
    ]
    with open_sandbox(settings) as sandbox:
        got = {verdict.id: verdict for verdict in sandbox.judge(jobs)}
    assert (got["right"].status, got["right"].tested) == (Status.ACCEPTED, 10_000)
    assert got["hangs"].status is Status.TIME_LIMIT
    assert got["calls"].passed == 10_000
    assert got["first-ten"].tested == 10


WALK = (
    "import os\ndef places():\n    for d, below, files in os.walk('/'):\n"
    "        below[:] = [n for n in below if n not in ('proc', 'usr') and d.count('/') < 3]\n        yield d, files\n"
)
LEAVE = WALK + (
    "for d, _ in places():\n    try: open(os.path.join(d, 'left-behind'), 'w').write('x')\n    except OSError: pass\n"
)
FIND = WALK + (
    "found = [d for d, files in places() if {'left-behind', 'solution.cpp', 'solution'} & set(files)]\n"
    "print(found or 3)"
)
CPP = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }"


def test_nothing_of_a_program_is_there_for_the_next(settings: SandboxSettings) -> None:
    jobs = [
        Job(id="leaves", source=LEAVE + GOOD, suite=SUM),
        Job(id="finds", source=FIND, suite=SUM),
        Job(id="cpp", source=CPP, suite=SUM, language="cpp"),
        Job(id="finds-cpp", source=FIND, suite=SUM),
    ]
    with open_sandbox(settings.model_copy(update={"workers": 1})) as sandbox:
        got = {verdict.id: verdict.status for verdict in sandbox.judge(jobs)}
    assert got == dict.fromkeys(got, Status.ACCEPTED)


def test_a_large_input_and_a_large_output_pass() -> None:
    text = " ".join(map(str, range(600_000)))
    suite = StdioSuite(inputs=(text, "1"), outputs=(text, "1"))
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        verdict = next(sandbox.judge([Job(id="j", source="import sys\nprint(sys.stdin.read())", suite=suite)]))
    assert verdict.status is Status.ACCEPTED, verdict


def test_a_consumer_that_stops_early_can_go_on_later() -> None:
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        verdicts = sandbox.judge(Job(id=str(n), source=GOOD, suite=SUM) for n in range(50))
        next(verdicts)
        with pytest.raises(SandboxError, match="judging already"):
            next(sandbox.judge([Job(id="too-early", source=GOOD, suite=SUM)]))
        verdicts.close()
        assert len(list(sandbox.judge(Job(id=str(n), source=GOOD, suite=SUM) for n in range(5)))) == 5


def test_every_verdict_carries_the_grade_and_the_score() -> None:
    suite = StdioSuite(inputs=("1 2", "2 2", "9 9", "1 1"), outputs=("3", "5", "18", "2"))
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        verdict = next(sandbox.judge([Job(id="j", source=GOOD, suite=suite)]))
        assert verdict.isolation == sandbox.isolation != ""
    assert (verdict.score, verdict.passed, verdict.tested) == (0.75, 3, 4)
    assert verdict.detail["tests"] == ["accepted", "wrong_answer", "accepted", "accepted"]


def test_mocks_share_a_process_and_say_so() -> None:
    code = "from unittest.mock import patch\nimport solution\n\ndef test_f():\n"
    code += "    with patch('builtins.input', return_value='7'):\n"
    suite = suite_from({"test_code": code + "        assert solution.f() == 7\n"})
    with open_sandbox(SandboxSettings(workers=1)) as sandbox:
        verdict = next(sandbox.judge([Job(id="j", source="def f(): return int(input())", suite=suite)]))
    assert (verdict.status, verdict.detail["trust"]) == (Status.ACCEPTED, "low")


def test_without_namespaces_the_sandbox_says_what_to_enable() -> None:
    program = (
        "import os\nfrom tracemill.sandbox.base import *\nfrom tracemill.sandbox.pool import open_sandbox\n"
        "from tracemill.sandbox.worker.seccomp import Filter\n"
        "Filter(allow_fork=True, allow_exec=True).install(os.getpid())\n"
        "try:\n    open_sandbox(SandboxSettings(workers=1))\nexcept SandboxUnavailable as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert "Enable unprivileged user namespaces" in done.stdout, done.stderr
    assert "set the sandbox's kind to docker" in done.stdout


def test_an_environment_below_tmp_is_refused_and_not_silently_empty() -> None:
    """Trap: programs get a /tmp of their own, so packages that lie there would be missing and right programs fail."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        venv.create(folder, symlinks=True)
        python = Path(folder) / "bin" / "python"
        with pytest.raises(SandboxUnavailable, match="which programs cannot see"):
            open_sandbox(SandboxSettings(workers=1, python=python))


def test_without_docker_the_sandbox_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
        open_sandbox(SandboxSettings(kind="docker"))


@pytest.mark.docker
def test_a_missing_image_says_how_to_build_it(settings: SandboxSettings) -> None:
    if settings.kind != "docker":
        pytest.skip("about Docker only")
    with pytest.raises(SandboxUnavailable, match="docker build -t no-such-image docker/sandbox"):
        open_sandbox(settings.model_copy(update={"image": "no-such-image"}))


def test_a_broken_interpreter_is_named() -> None:
    with pytest.raises(SandboxUnavailable, match="cannot be run"):
        open_sandbox(SandboxSettings(python=Path("/bin/false")))
