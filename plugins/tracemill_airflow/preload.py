"""What every task imports, imported once by what forks tasks: they find it there.

docker-compose.yaml names this module in Celery's `imports`, and executor.py imports it for the local server. A task
took 3.1 s of processor for it before it began. Nothing here may put a thread to work, since a fork has none: neither
torch nor an embedder, a client or a query.
"""

from __future__ import annotations

import gc

import airflow.providers.amazon.aws.fs.s3
import airflow.sdk.execution_time.task_runner  # noqa: F401
import s3fs  # noqa: F401

import tracemill.engine.runner
import tracemill.local.pending
import tracemill.local.preflight
import tracemill.local.sandboxes  # noqa: F401
from tracemill_airflow import form, graph  # noqa: F401

# A fork's first collection would otherwise look through all of it, and copy its pages: 0.4 s a task.
gc.freeze()
