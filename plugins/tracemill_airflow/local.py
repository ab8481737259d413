"""A local Airflow for one machine: `airflow standalone` on SQLite, tasks as its own processes, state below one folder.

`make demo` uses it; `python -m tracemill_airflow.local stop` ends it.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from tracemill.engine.connections import url_of

PROJECT = Path(__file__).resolve().parents[2]
BOOT_SECONDS = 480  # 15 s on a quiet machine, four minutes on one whose cores many share


class AirflowNotReady(RuntimeError):
    """Airflow did not come up, or went away; the text names its log."""


@dataclass(frozen=True)
class LocalAirflow:
    """A running server: where it listens, who may log in, and the process group that is it."""

    url: str
    username: str
    password: str
    pid: int
    home: str

    def healthy(self) -> bool:
        """Whether the API answers and the scheduler beats."""
        try:
            health = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def memory(self) -> int:
        """Bytes that Airflow and the tasks it runs hold now; what processes share counts once (PSS)."""
        total = 0
        for process in _processes(self.pid):
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # it ended while we looked, or is a sandboxed one of another user
        return total

    def stop(self, patience: float = 40) -> None:
        """End Airflow and the tasks it runs; what does not leave within `patience` seconds is killed.

        A task has a process group of its own: left alone it would go on asking and writing without Airflow.
        """
        tasks = _processes(self.pid)
        for sign, wait in ((signal.SIGINT, patience), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if not _signal_group(self.pid, sign) or _gone_within(self.pid, wait):
                break
        _end(tasks)


def _end(processes: list[psutil.Process]) -> None:
    """End what is left of these: asked first, killed after five seconds."""
    for end in (psutil.Process.terminate, psutil.Process.kill):
        left = [process for process in processes if process.is_running()]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                end(process)
        psutil.wait_procs(left, timeout=5)


def _signal_group(pid: int, sign: int) -> bool:
    try:
        os.killpg(pid, sign)
    except ProcessLookupError:
        return False
    return True


def _gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while _group_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def _group_alive(group: int) -> bool:
    """Whether a process of the group still runs; a zombie that nobody reaped does not."""
    return bool(_processes(group))


def _processes(group: int) -> list[psutil.Process]:
    """The living processes of that group and all their descendants, whatever group those are in."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                found |= {p.pid: p for p in (process, *process.children(recursive=True))}
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue  # it ended while we looked
    return list(found.values())


def running(home: Path) -> LocalAirflow | None:
    """The server whose state is below `home`, if it runs and answers."""
    try:
        server = LocalAirflow(**json.loads((home / "server.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return server if _group_alive(server.pid) and server.healthy() else None


def start(home: Path, extra: dict[str, str] | None = None) -> LocalAirflow:
    """The running server below `home`, or a new one on a free port. Raises AirflowNotReady naming the log."""
    found = running(home)
    if found:
        return found
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    password = _password(home)
    environment = {**os.environ, **settings(home, port), **(extra or {})}
    with (home / "airflow.log").open("ab") as log:
        command = [str(Path(sys.executable).with_name("airflow")), "standalone"]
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    server = LocalAirflow(f"http://127.0.0.1:{port}", "admin", password, process.pid, str(home))
    _write_private(home / "server.json", json.dumps(asdict(server)))
    try:
        _await_health(server, process, home / "airflow.log")
    except BaseException:
        server.stop(patience=5)
        raise
    return server


def settings(home: Path, port: int) -> dict[str, str]:
    """Airflow's configuration as environment variables; the reasons are in docs/design/airflow.md."""
    base = f"http://127.0.0.1:{port}"
    paths = os.pathsep.join(str(PROJECT / folder) for folder in ("include", "plugins"))
    return {
        "AIRFLOW_HOME": str(home),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "PYTHONPATH": paths,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "tracemill_airflow.executor.PreloadedExecutor",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": str(max(2, len(os.sched_getaffinity(0)))),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__API__INSTANCE_NAME": "tracemill",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "TRACEMILL_STORE": os.environ.get("TRACEMILL_STORE", url_of(home.parent / "store")),
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1"),
    }


def _await_health(server: LocalAirflow, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + BOOT_SECONDS
    while not server.healthy():
        if process.poll() is not None:
            raise AirflowNotReady(f"Airflow ended with code {process.returncode} while starting; see {log}")
        if time.monotonic() > end:
            raise AirflowNotReady(f"Airflow was not healthy after {BOOT_SECONDS} s; see {log}")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _password(home: Path) -> str:
    file = home / "passwords.json"
    if not file.exists():
        _write_private(file, json.dumps({"admin": secrets.token_urlsafe(12)}))
    return str(json.loads(file.read_text())["admin"])


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def main(arguments: list[str]) -> int:
    """`status` or `stop` the server below var/airflow."""
    server = running(PROJECT / "var" / "airflow")
    if server is None:
        print("Airflow is not running")
        return 0 if arguments == ["stop"] else 1
    if arguments == ["stop"]:
        server.stop()
        print("Airflow is stopped")
    else:
        print(f"Airflow runs at {server.url} (login {server.username} / {server.password})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
