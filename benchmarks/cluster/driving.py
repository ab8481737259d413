"""Runs one recipe on a cluster from trigger to the published release, and kills a worker on the way if asked to."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from benchmarks.cluster.cluster import Cluster
from tracemill.report.publish import LIST
from tracemill_airflow.rest import AirflowRest, RunFailed

DAG = "reasoning_distillation"
API = "http://127.0.0.1:8080"  # as published, in the engine's network
STORE = "s3://store@tracemill"
LOGS = "/opt/airflow/logs"
FERNET = "AIRFLOW_FERNET_KEY"
WORDS = (
    *("AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET"),
    *("POSTGRES_PASSWORD", "OBJECTS_KEY", "OBJECTS_SECRET", "ADMIN_PASSWORD"),
)
SECRETS = (FERNET, *WORDS)


def filled_in(**own: str) -> dict[str, str]:
    """An .env with every secret filled in."""
    made = {name: secrets.token_hex(16) for name in WORDS}
    return {**made, FERNET: Fernet.generate_key().decode(), **own}


@dataclass(frozen=True)
class Ran:
    """A run that succeeded: its id, wall seconds, and for how long a killed worker was not missed (None: none was)."""

    run: str
    seconds: float
    noticed: float | None


def client(cluster: Cluster, environment: Mapping[str, str]) -> AirflowRest:
    """A logged-in client; use it in the engine's network only."""
    return AirflowRest(API, "admin", environment["ADMIN_PASSWORD"])


def run(
    cluster: Cluster,
    rest: AirflowRest,
    conf: Mapping[str, Any],
    victim: tuple[str, str] | None = None,
    dag: str = DAG,
) -> Ran:
    """Trigger a recipe and wait for its end. Raises RunFailed with the tasks that failed and the ends of their logs.

    `victim` is a worker and a task: the worker is killed while it runs the last batch of that.
    """
    rest.await_dag(dag)
    name, began = rest.trigger(dag, dict(conf)), time.monotonic()
    killed = noticed = None
    for tasks in rest.follow(dag, name, every=1.0):
        lost = sorted((t for t in tasks if victim and t.task.endswith(victim[1])), key=lambda t: t.map_index)[-1:]
        if victim and killed is None and any(task.state == "running" for task in lost):
            cluster.engine.run("kill", cluster.container(victim[0]))
            killed = time.monotonic()
            cluster.engine.run("start", cluster.container(victim[0]))
        elif killed and noticed is None and any(task.state != "running" and task.tries for task in lost):
            noticed = time.monotonic() - killed
    if rest.run(dag, name)["state"] != "success":
        raise RunFailed(f"{conf}: {_ended_badly(cluster, rest, dag, name)}")
    if victim and (killed is None or noticed is None):
        raise RunFailed(f"{victim[0]} was not killed while it ran {victim[1]}")
    return Ran(name, time.monotonic() - began, noticed)


def _ended_badly(cluster: Cluster, rest: AirflowRest, dag: str, run: str) -> str:
    """The tasks of a run that did not succeed, and the last lines of those that failed."""
    bad = [task for task in rest.tasks(dag, run) if task.state != "success"]
    said = [str(task) for task in bad]
    for task in {task.task for task in bad if task.state == "failed"}:
        logs = f"find {LOGS}/dag_id={dag}/run_id={run}/task_id={task} -name '*.log' -exec tail -n 12 '{{}}' ';'"
        said.append(cluster.execute("api-server", "sh", "-c", logs, check=False))
    return "\n".join(said)


def local_release(recipe: Path | str, folder: Path, environment: Mapping[str, str]) -> tuple[Path, float]:
    """The same recipe's release by `tracemill run` and `publish` on this machine, and the seconds that the run took."""
    root, target, began = (folder / "store").as_uri(), folder / "release", time.monotonic()
    _tracemill([], environment, "run", str(recipe), "--root", root)
    seconds = time.monotonic() - began
    _tracemill([], environment, "publish", "--root", root, "--to", str(target))
    return target, seconds


def from_outside(cluster: Cluster, root: str, target: Path, environment: Mapping[str, str]) -> Path:
    """Publish as a laptop does: `tracemill publish` on this machine, through the S3 server's published port."""
    _tracemill(cluster.engine.inside(), environment, "publish", "--root", root, "--to", str(target))
    return target


def files(release: Path) -> dict[str, bytes]:
    """A published release's files, without the list of their digests."""
    found = {str(path.relative_to(release)): path for path in release.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name != LIST}


def _tracemill(before: list[str], environment: Mapping[str, str], *words: str) -> None:
    command = [*before, sys.executable, "-m", "tracemill", *words]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"tracemill {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
