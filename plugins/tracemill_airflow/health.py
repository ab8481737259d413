"""Whether one component of a cluster is well, for the health checks of docker-compose.yaml: `python -m ... COMPONENT`.

Imports neither Airflow nor tracemill: a check runs every minute on every container.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

SECONDS = 8.0  # for each of three questions; Docker allows a check 30 s
_EXECUTION_API = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
_BROKER = "AIRFLOW__CELERY__BROKER_URL"


def component_is_well(name: str, url: str) -> bool:
    """What the API server says of the scheduler, dag_processor, triggerer or metadatabase. OSError if it is down."""
    with urlopen(f"{url}/api/v2/monitor/health", timeout=SECONDS) as answer:
        return bool(json.load(answer)[name]["status"] == "healthy")


def worker_takes_tasks(broker: str, host: str) -> bool | None:
    """Whether the Celery worker of that host listens to a queue; None when it does not answer at all.

    One that lost its queues when the broker restarted answers pings and takes nothing for ever (apache/airflow#63580).
    It is asked twice, since one that is busy may answer late.
    """
    from celery import Celery

    with Celery(broker=broker) as app:
        worker = app.control.inspect([f"celery@{host}"], timeout=SECONDS)
        if not worker.ping():
            return None
        return any(any((worker.active_queues() or {}).values()) for _ in range(2))


def end_container(first: Path = Path("/proc/1/cmdline"), kill: Callable[[int, signal.Signals], None] = os.kill) -> None:
    """Ask the container's first process to end, so that its restart policy starts it anew: Docker restarts nothing that
    is merely unwell. A worker finishes the tasks that it has. Does nothing where the first process is not the image's.
    """
    if "tini" in first.read_bytes().split(b"\0")[0].decode():
        kill(1, signal.SIGTERM)


def main(name: str, end: Callable[[], None] = end_container) -> int:
    """Exit status 0 when the component is well. A worker that will take no task any more is ended."""
    if name == "worker":
        takes = worker_takes_tasks(os.environ[_BROKER], socket.gethostname())
        if takes is False:
            print("the worker answers, but listens to no queue any more: it is started anew")
            end()
        return 0 if takes else 1
    url = os.environ[_EXECUTION_API].removesuffix("/").removesuffix("/execution")
    return 0 if component_is_well(name, url) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
