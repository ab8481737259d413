"""The cluster starts as docker-compose.yaml says, and makes the same release as `tracemill run`, even if a worker dies.

No registry is needed: see benchmarks/cluster. What runs here is the file's own environment, volumes, users, networks
and security options, Airflow with Celery, and the project's image without the packages that pip would bring.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.cluster import driving, small
from benchmarks.cluster.cluster import Cluster, machinery
from benchmarks.cluster.engine import Engine, NoEngine
from tracemill_airflow.rest import AirflowRest

pytestmark = pytest.mark.timeout(900)  # three to four minutes on two quiet processors
NOTICED = 60.0  # seconds in which a lost worker is noticed
WORKERS = ("worker-cpu", "worker-sandbox")


@dataclass(frozen=True)
class Up:
    """A cluster that is up, what its .env holds, and the folder with the recipe and the local release."""

    cluster: Cluster
    environment: dict[str, str]
    folder: Path

    def client(self) -> AirflowRest:
        return driving.client(self.cluster, self.environment)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with the images; skips where none can be started."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(machinery())
        except NoEngine as error:
            pytest.skip(f"the cluster cannot be started here: {error}")
        yield found


@pytest.fixture(scope="module")
def up(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Up:
    folder = tmp_path_factory.mktemp("cluster")
    for place in (folder, *(folder / name for name in ("recipes", "data"))):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
    small.write(folder / "recipes", folder / "data")
    own = {"TRACEMILL_DATA": str(folder / "data"), "TRACEMILL_RECIPES": str(folder / "recipes")}
    environment = driving.filled_in(**own)
    cluster = Cluster(engine, environment)
    cluster.up()
    for worker in WORKERS:
        cluster.await_worker(worker)
    return Up(cluster, environment, folder)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_is_an_ordinary_user_who_sees_no_secret_and_no_database(up: Up, worker: str) -> None:
    ours, seen = set(up.environment.values()), up.cluster.execute(worker, "env")
    assert up.cluster.execute(worker, "id", "-u") == "50000"
    assert [name for name, value in up.environment.items() if name in driving.SECRETS and value in seen] == []
    assert len(ours) == len(up.environment)
    found = up.cluster.execute(worker, "python", "-c", _REACHES.format(host="postgres", port=5432), check=False)
    assert "no way" in found
    assert "way to redis" in up.cluster.execute(worker, "python", "-c", _REACHES.format(host="redis", port=6379))


def test_a_killed_worker_costs_time_alone_and_the_release_is_that_of_a_local_run(up: Up) -> None:
    local = {**os.environ, "TRACEMILL_DATA": str(up.folder / "data"), "TRACEMILL_CACHE": str(up.folder / "cache")}
    expected, _ = driving.local_release(up.folder / "recipes" / f"{small.NAME}.yaml", up.folder, local)
    with up.cluster.engine.network():
        victim, conf = ("worker-sandbox", small.PROGRAMS), {"recipe": small.NAME}
        ran = driving.run(up.cluster, up.client(), conf, victim, small.DAG)
    assert ran.noticed is not None
    assert ran.noticed <= NOTICED
    connection = up.cluster.services["init"].environment["AIRFLOW_CONN_STORE"].replace("objects:", "127.0.0.1:")
    root = f"{driving.STORE}/{small.NAME}/v1"
    outside = driving.from_outside(up.cluster, root, up.folder / "outside", {**local, "AIRFLOW_CONN_STORE": connection})
    assert driving.files(outside) == driving.files(expected)
    assert small.PROGRAMS in up.cluster.one_off("cli", "funnel", "--root", root)


_REACHES = """
import socket
try:
    socket.create_connection(("{host}", {port}), timeout=3)
    print("way to {host}")
except OSError as error:
    print("no way:", error)
"""
