"""The queues that tasks go to, and whether a worker serves them: a task on a queue without one would wait for ever."""

from __future__ import annotations

from collections.abc import Collection

SANDBOX = "sandbox"  # stages that run programs: their worker is the only one that may make namespaces
GPU = "gpu"  # model servers
LOOKS = (1.0, 3.0, 9.0)  # seconds; a worker under load answers late
REMEDIES = {
    SANDBOX: "start one (docker compose up --detach worker-sandbox)",
    GPU: "start one (docker compose --profile gpu up --build --detach worker-gpu), or name an endpoint that is up in "
    "the connection tracemill_MODEL",
}


def apart() -> bool:
    """Whether tasks go to workers by queues. A LocalExecutor runs all of them itself."""
    from airflow.configuration import conf

    return "CeleryExecutor" in conf.get("core", "executor")


def tasks_at_once() -> int:
    """How many tasks a Celery worker runs at once: each may use its part of the processors. 1 elsewhere."""
    from airflow.configuration import conf

    return max(1, conf.getint("celery", "worker_concurrency")) if apart() else 1


def without_worker(queues: Collection[str]) -> list[str]:
    """Those of these queues that no Celery worker listens to, in order. Other executors know no queues: none is."""
    from airflow.configuration import conf

    missing = set(queues)
    if not missing or not apart():
        return []
    from celery import Celery

    with Celery(broker=conf.get("celery", "broker_url")) as app:
        for seconds in LOOKS:
            answers = app.control.inspect(timeout=seconds).active_queues() or {}
            missing -= {queue["name"] for served in answers.values() for queue in served}
            if not missing:
                break
    return sorted(missing)


def refusal(queues: Collection[str]) -> str:
    """One sentence about queues that nobody serves, with what to do."""
    named = ", ".join(repr(queue) for queue in sorted(queues))
    remedies = "; ".join(REMEDIES.get(queue, f"start a worker of the queue {queue!r}") for queue in sorted(queues))
    return f"no worker serves the queue {named}, which this recipe needs: {remedies}"
