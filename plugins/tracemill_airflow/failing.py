"""Ends a run whose task has failed for good: that task leaves word of why, and those that still work end with it.

Nothing is lost: what was sealed stays sealed, and what a model answered is stored. To go on, clear the run's failed
tasks. A task that ended only because another one failed says so in its log and its XCom, so that it is no cause itself.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from types import FrameType
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError

from tracemill_airflow.run_state import RunOf, run_of, states
from tracemill_airflow.settings import stops_on_failure

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

WORD = "failure"  # XCom keys
ENDED = "ended_with_run"
_LOOK_EVERY = 10.0  # seconds; the answer grows with the run's tasks
_PATIENCE = 15.0  # seconds that a task's work has to end; a call that does not come back is then cut off
_LONGEST = 2000  # characters of an error's text
_log = logging.getLogger(__name__)


class RunEnded(AirflowFailException):
    """Another task of the run failed for good; the text names it. Never retried."""


@dataclass(frozen=True)
class Failure:
    """Why a task failed for good: its stage, its shards, and the error in its own words ("" where it was killed)."""

    task: str
    map_index: int = -1
    stage: str = ""
    shards: str = ""
    error: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        """The task as people call it: distill[3]."""
        short = self.task.rsplit(".")[-1]
        return short if self.map_index < 0 else f"{short}[{self.map_index}]"


def leave_word(context: Context) -> None:
    """Keep why this task failed where the run's other tasks and those who tell people find it (on_failure_callback)."""
    error = context.get("exception")
    instance = context["ti"]
    if error is None or isinstance(error, RunEnded):
        return
    failure = Failure(
        task=instance.task_id,
        map_index=_index(instance),
        stage=getattr(instance.task, "stage", "") or instance.task_id,
        shards=str(context.get("shard_name") or context.get("server_name") or ""),
        error=type(error).__name__ if isinstance(error, BaseException) else "",
        text=str(error)[:_LONGEST],
    )
    instance.xcom_push(key=WORD, value=asdict(failure))


def failures(run: RunOf, tasks: Collection[str], most: int = 20) -> list[Failure]:
    """The tasks of a run that have failed by themselves, the first `most` of them. `tasks`: the ids of the DAG's."""
    found: list[Failure] = []
    for name, state in states(run).items():
        if state == "failed" and len(found) < most:
            task, index = _place(name, tasks)
            if _xcom(run, task, index, ENDED) is None:
                word = _xcom(run, task, index, WORD)
                found.append(_failure(word) if isinstance(word, Mapping) else Failure(task, index))
    return found


@contextmanager
def ends_with_run(context: Context) -> Iterator[None]:
    """While the block runs, look whether another task of the run fails for good. Raises RunEnded then, and at once if
    one has. Outside the main thread, or where TRACEMILL_ON_FAILURE says `finish`, nothing is looked for.
    """
    run = run_of(context)
    if not run.run_id or threading.current_thread() is not threading.main_thread() or not stops_on_failure():
        yield
        return
    tasks = set(context["dag"].task_ids)
    try:
        _raise_if_any(failures(run, tasks, most=1))
        with _Watch(run, tasks):
            yield
    except RunEnded as ended:
        context["ti"].xcom_push(key=ENDED, value=str(ended))
        raise


class _Watch:
    """Looks at the run from a thread of its own, and interrupts the main thread with RunEnded."""

    def __init__(self, run: RunOf, tasks: Collection[str]) -> None:
        self.run = run
        self.tasks = tasks
        self.found: list[Failure] = []
        self._over = threading.Event()
        self._armed = threading.Lock()
        self._before: Any = None

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGUSR1, self._interrupt)
        threading.Thread(target=self._look, daemon=True, name="watch the run").start()

    def __exit__(self, *_: object) -> None:
        with self._armed:
            self._over.set()
        signal.signal(signal.SIGUSR1, self._before)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        _raise_if_any(self.found)

    def _look(self) -> None:
        while not self.found and not self._over.wait(_LOOK_EVERY):
            try:
                self.found = failures(self.run, self.tasks, most=1)
            except AirflowRuntimeError as error:
                _log.warning("cannot see how the run's other tasks stand: %s", error)
        with self._armed:
            if self._over.is_set():
                return
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGUSR1)
        if not self._over.wait(_PATIENCE):
            _log.error("this task does not end by itself; it is cut off")
            os._exit(1)


def _raise_if_any(found: list[Failure]) -> None:
    if found:
        first = found[0]
        raise RunEnded(
            f"task {first.name} of this run failed for good ({first.error or 'killed'}), so this one ends, too; "
            "nothing that was sealed or answered is lost. Clear the run's failed tasks together to go on"
        )


def _failure(word: Mapping[str, Any]) -> Failure:
    return Failure(**{field.name: word[field.name] for field in fields(Failure) if field.name in word})


def _place(name: str, tasks: Collection[str]) -> tuple[str, int]:
    """Task id and map index of a task instance as Airflow names it: "distill_3" may be either."""
    if name in tasks:
        return name, -1
    task, _, index = name.rpartition("_")
    return task, int(index)


def _index(instance: Any) -> int:
    return -1 if instance.map_index is None else int(instance.map_index)


def _xcom(run: RunOf, task: str, index: int, key: str) -> Any:
    return BaseXCom.get_one(key=key, dag_id=run.dag_id, task_id=task, run_id=run.run_id, map_index=index)
