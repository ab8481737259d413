"""What every task imports, imported once by a Celery worker: its tasks are forks of it and find it there.

docker-compose.yaml names this module in Celery's `imports`. A task took 3.1 s of processor for it before it began.
Nothing here may put a thread to work, since a fork has none: neither torch nor an embedder, a client or a query.
"""

from __future__ import annotations

import airflow.providers.amazon.aws.fs.s3
import airflow.sdk.execution_time.task_runner  # noqa: F401
import s3fs  # noqa: F401

import tracemill.pending
import tracemill.preflight
import tracemill.runner
import tracemill.sandboxes
import tracemill.served  # noqa: F401
from tracemill_airflow import form, graph  # noqa: F401
