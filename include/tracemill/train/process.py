"""A training as a child of this process: started, followed, and ended with everything that belongs to it."""

from __future__ import annotations

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, TrainingError
from tracemill.models.server.guard import end
from tracemill.train import launch
from tracemill.train.inside.job import EVENTS, FINISHED, Job
from tracemill.train.telling import EVERY, spoken

LOG = "training.log"
_POLL = 0.2  # seconds
_LOG_TAIL = 50_000  # bytes of the log in which the cause of an end is looked for
_LAST_LINES = 12
_TRACEBACK = "Traceback (most recent call last):"
_LAUNCHER = "accelerate/commands/launch.py"  # whose own traceback stands behind the one that says why


def trained(job: Job, how: launch.Launch, resources: Resources) -> Path:
    """The folder of the finished student and its log; the training goes on from its last checkpoint where it has one.

    Raises RecipeError for what no other try mends (the loss is no number, weights and tokenizer do not go together),
    TrainingError for any other end, and where another process trains in the same folder.
    """
    work = Path(job.work)
    with _alone(work):
        if (work / FINISHED).is_dir():
            return work / FINISHED
        python = launch.training_python(resources)
        settings = work / "accelerate.yaml"
        settings.write_text(launch.written(launch.configuration(how, job.precision)), encoding="utf-8")
        path = work / "job.json"
        job.write(path)
        given = launch.environment(resources.environment, launch.code_below(work), Path(job.base).is_dir())
        _run(launch.command(python, settings, path), given, work, resources.tell)
    return work / FINISHED


def _run(command: list[str], given: Mapping[str, str], work: Path, tell: Callable[[str], None]) -> None:
    events = _Events(work / EVENTS, tell)
    with (work / LOG).open("ab") as log:
        before = log.tell()  # what earlier tries said is not why this one ended
        process = subprocess.Popen(command, env=given, cwd=work, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            while (code := process.poll()) is None:
                events.read()
                time.sleep(_POLL)
        finally:
            end(process)
    events.read()
    if events.refusal:
        raise RecipeError(events.refusal)
    if code or not (work / FINISHED).is_dir():
        raise TrainingError(
            f"the training ended with code {code} after step {events.step:,}: {_last_lines(work / LOG, before)} (the "
            f"whole log is {work / LOG}). Run it again: it goes on from its last checkpoint"
        )


def _last_lines(log: Path, since: int) -> str:
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - _LOG_TAIL))
        said, traceback, of_launcher = file.read().decode(errors="replace").rpartition(_TRACEBACK)
    if _LAUNCHER not in of_launcher or not said.strip():
        said += traceback + of_launcher
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " | ".join(lines[-_LAST_LINES:]) or "it said nothing"


class _Events:
    """Tells people what a training tells: masks before the first step, then how far it is and when it will end."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self.refusal = ""
        self.step = 0
        self._path = path
        self._tell = tell
        self._seen = path.stat().st_size if path.exists() else 0
        self._began: tuple[float, int] | None = None
        self._said = 0.0

    def read(self) -> None:
        """Tell what is new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._seen)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._seen += len(whole)
        for line in whole.splitlines():
            self._one(json.loads(line))

    def _one(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "mask":
                self._tell(f"what is learned is between ⟦ and ⟧: {event['text']}")
            case "began":
                since = f", on from {event['resumed']}" if event["resumed"] else ""
                self._tell(f"training begins: {event['rows']:,} rows in {event['sequences']:,} sequences{since}")
            case "refused":
                self.refusal = event["why"]
            case "finished":
                self._tell(f"trained for {event['step']:,} steps")
            case "step":
                self._step(event)

    def _step(self, event: Mapping[str, Any]) -> None:
        self.step = event["step"]
        if self._began is None:
            self._began = (event["at"], self.step)
        seconds = event["at"] - self._began[0]
        if event["at"] - self._said < EVERY or self.step == self._began[1]:
            return
        self._said = event["at"]
        left = (event["of"] - self.step) * seconds / (self.step - self._began[1])
        self._tell(f"step {self.step:,} of {event['of']:,}: loss {event['loss']:.4f}, {spoken(left)} left")


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Let one process train in a folder. Raises TrainingError for a second one: it may try again later."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TrainingError(f"another process trains in {work}: wait for it, then run again") from error
        yield
