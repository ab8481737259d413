"""What every DAG of tracemill has besides its tasks: an end in time, word of its failure, and people who are told."""

from __future__ import annotations

from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tracemill_airflow import notifying, settings
from tracemill_airflow.failing import leave_word


def watched() -> dict[str, Any]:
    """Arguments of a DAG: what settings.py says about its runs."""
    deadline = settings.span_or_none(settings.RUN_DEADLINE)
    alert = AsyncCallback(notifying.late)
    return {
        "dagrun_timeout": settings.span_or_none(settings.RUN_TIMEOUT),
        "deadline": DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, deadline, alert) if deadline else None,
        "on_failure_callback": notifying.failed,
        "on_success_callback": notifying.succeeded,
    }


def watched_task() -> dict[str, Any]:
    """Arguments of every task: it leaves word when it fails for good, and may have a time in which to end."""
    return {
        "on_failure_callback": leave_word,
        "execution_timeout": settings.span_or_none(settings.TASK_TIMEOUT),
    }
