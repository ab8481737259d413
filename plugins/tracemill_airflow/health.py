"""Whether one component of a cluster is well, for the health checks of docker-compose.yaml: `python -m ... COMPONENT`.

Imports neither Airflow nor tracemill: a check runs every minute on every container.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from urllib.request import urlopen

SECONDS = 10.0
_EXECUTION_API = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
_BROKER = "AIRFLOW__CELERY__BROKER_URL"


def component_is_well(name: str, url: str) -> bool:
    """What the API server says of the scheduler, dag_processor, triggerer or metadatabase. OSError if it is down."""
    with urlopen(f"{url}/api/v2/monitor/health", timeout=SECONDS) as answer:
        return bool(json.load(answer)[name]["status"] == "healthy")


def worker_answers(broker: str, host: str) -> bool:
    """Whether the Celery worker of that host answers a ping through the broker."""
    from celery import Celery

    with Celery(broker=broker) as app:
        return bool(app.control.inspect([f"celery@{host}"], timeout=SECONDS).ping())


def main(name: str) -> int:
    """Exit status 0 when the component is well."""
    if name == "worker":
        return 0 if worker_answers(os.environ[_BROKER], socket.gethostname()) else 1
    url = os.environ[_EXECUTION_API].removesuffix("/").removesuffix("/execution")
    return 0 if component_is_well(name, url) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
