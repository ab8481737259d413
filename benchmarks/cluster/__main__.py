"""`python -m benchmarks.cluster`: a recipe on the cluster of docker-compose.yaml against `tracemill run`; ends in JSON.

Both use the same processors of this machine. Needs root, dockerd and the Debian packages that the tests install, and
TRACEMILL_DATA for the default recipe.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.cluster import driving
from benchmarks.cluster.cluster import Cluster, machinery
from benchmarks.cluster.engine import NoEngine
from tracemill_airflow.following import summarise

WORKERS = ("worker-cpu", "worker-sandbox")


def main() -> int:
    """Run locally, on the cluster, and once more with a worker killed; print what each took."""
    parser = argparse.ArgumentParser(prog="make bench-cluster", description=__doc__)
    parser.add_argument("--recipe", default="real_sample")
    parser.add_argument("--stage", default="verify_code", help="the stage in which worker-sandbox is killed")
    options = parser.parse_args()
    data = os.environ.get("TRACEMILL_DATA")
    if not data:
        print("set TRACEMILL_DATA to the folder with the sample files first")
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-cluster-", dir="/var/tmp") as folder:
        try:
            print(json.dumps(figures(options.recipe, options.stage, Path(data).resolve(), Path(folder))))
        except NoEngine as error:
            print(error)
            return 1
    return 0


def figures(recipe: str, stage: str, data: Path, folder: Path) -> dict[str, float | int]:
    """wall_vs_local, airflow_seconds_per_task, lost_worker_noticed_s, release_identical."""
    own = {**os.environ, "TRACEMILL_DATA": str(data), "TRACEMILL_CACHE": str(folder / "cache")}
    expected, alone = driving.local_release(recipe, folder, own)
    print(f"tracemill run {recipe}: {alone:.1f} s", flush=True)
    (folder / "recipes").mkdir()
    folder.chmod(0o755)
    environment = driving.filled_in(TRACEMILL_DATA=str(data), TRACEMILL_RECIPES=str(folder / "recipes"))
    with machinery() as engine:
        cluster = Cluster(engine, environment)
        cluster.up()
        for worker in WORKERS:
            cluster.await_worker(worker)
        with engine.network():
            rest = driving.client(cluster, environment)
            ran = driving.run(cluster, rest, {"recipe": recipe, "release": "v1"})
            spent = summarise(rest, ran.run, rest.tasks(driving.DAG, ran.run), driving.DAG)
            print(f"on the cluster: {ran.seconds:.1f} s, {spent}", flush=True)
            lost = driving.run(cluster, rest, {"recipe": recipe, "release": "v2"}, ("worker-sandbox", stage))
            print(f"with a worker killed: {lost.seconds:.1f} s, noticed after {lost.noticed:.1f} s", flush=True)
        connection = cluster.services["init"].environment["AIRFLOW_CONN_STORE"].replace("objects:", "127.0.0.1:")
        own["AIRFLOW_CONN_STORE"] = connection
        found = [
            driving.files(driving.from_outside(cluster, f"{driving.STORE}/{recipe}/{name}", folder / name, own))
            for name in ("v1", "v2")
        ]
    wanted = driving.files(expected)
    for name, one in zip(("v1", "v2"), found, strict=True):
        for file in sorted(path for path in wanted.keys() | one.keys() if wanted.get(path) != one.get(path)):
            print(f"{name}: {file} is not that of the local run")
            print("\n".join(differing(wanted.get(file, b""), one.get(file, b""))))
    return {
        "wall_vs_local": round(spent["wall_seconds"] / alone, 2),
        "airflow_seconds_per_task": round(spent["overhead_seconds"] / spent["tasks"], 2),
        "lost_worker_noticed_s": round(lost.noticed or 0.0, 1),
        "release_identical": int(all(one == wanted for one in found)),
    }


def differing(wanted: bytes, found: bytes, lines: int = 40) -> list[str]:
    """The lines in which two texts differ; nothing of files that are none."""
    try:
        local = wanted.decode().splitlines()
        there = found.decode().splitlines()
    except UnicodeDecodeError:
        return []
    return list(difflib.unified_diff(local, there, "local", "cluster", lineterm="", n=1))[:lines]


if __name__ == "__main__":
    sys.exit(main())
