"""Worker processes for comparisons that no input can hang: each job ends by its CPU limit, its memory limit, or a kill.

Workers are started once and kept warm (a process per comparison is ten times slower). Three walls stand around a job:
the kernel ends the worker at `cpu_seconds` (so a loaded machine flips no verdict), this side kills it when it holds
more than `memory_bytes`, and, should it not even use CPU, after WALL_FACTOR x cpu_seconds. A dead worker is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self, get_args

from tracemill.errors import VerifierError

WALL_FACTOR = 20.0
_WORKER = Path(__file__).with_name("worker.py")
_START_SECONDS = 120.0  # to import mpmath; a quarter of a second on an idle machine
_POLL_SECONDS = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")

_READY = "ready"
# All of a worker's environment. With gmpy2 the integers are C code that no signal handler interrupts.
_ENVIRONMENT = {"MPMATH_NOGMPY": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}

Finding = Literal[
    "equal", "different", "unknown", "unparsable_gold", "unparsable_answer", "timeout", "memory", "crashed"
]
_FINDINGS: dict[str, Finding] = {word: word for word in get_args(Finding)}


class Pair(NamedTuple):
    """A reference answer and a given one, as normalised texts (`text.answer_text`). The order matters.

    `asked` is what the problem asks for (`answers.asked`), where that may decide.
    """

    gold: str
    answer: str
    asked: str = ""


class _Worker:
    """One child process. `pair` is its job, None while idle; `since` the time of its last change of state."""

    def __init__(self, program: Path) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(program)],  # -I: no user's site, and beside the script lies a math.py
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            env=_ENVIRONMENT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs = self._process.stdin
        self.replies = self._process.stdout
        self.pair: Pair | None = None
        self.ready = False
        self.crashes = 0
        self.since = time.monotonic()
        self.pid = self._process.pid

    def give(self, pair: Pair, cpu_seconds: float, crashes: int = 0) -> None:
        """Send one job. That the worker is dead shows when its replies end, so a broken pipe says nothing new."""
        self.pair = pair
        self.since = time.monotonic()
        self.crashes = crashes
        job = json.dumps({**pair._asdict(), "cpu_seconds": cpu_seconds})
        with contextlib.suppress(BrokenPipeError):
            self._jobs.write(job.encode() + b"\n")

    def hear(self) -> list[str]:
        """The words it said since; empty when it is gone."""
        return os.read(self.replies.fileno(), 4096).decode().split()

    def overdue(self, seconds: float) -> bool:
        """Whether its state has lasted longer than that."""
        return time.monotonic() - self.since > seconds

    def memory(self) -> int:
        """Resident bytes; 0 once it is gone."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * _PAGE
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return 0

    def end(self, *, kill: bool = True) -> int:
        """Wait for its end, or bring it about; returns the exit status (negative: the signal that ended it)."""
        if kill:
            self._process.kill()
        status = self._process.wait()
        self._jobs.close()
        self.replies.close()
        return status

    def last_words(self) -> str:
        """The last line it wrote to standard error."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"


class MathPool:
    """Compares pairs in parallel. Use as a context manager; processes start when `submit` needs them.

    `program` is the script that a worker runs.
    """

    def __init__(self, workers: int, cpu_seconds: float, memory_bytes: int, program: Path = _WORKER) -> None:
        self._program = program
        self._count = workers
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._selector.close()

    def submit(self, pair: Pair) -> Iterator[tuple[Pair, Finding]]:
        """Give the pair to a worker, waiting for an idle one if need be; yields whatever was found meanwhile.

        Raises VerifierError when workers cannot be started (a library missing or broken).
        """
        yield from self._collect(0)
        while (idle := self._idle()) is None:
            if len(self._workers) < self._count and all(worker.ready for worker in self._workers):
                self._start()  # one after the other: many shards have fewer pairs than the start of a worker is worth
            yield from self._collect()
        idle.give(pair, self._cpu_seconds)

    def drain(self) -> Iterator[tuple[Pair, Finding]]:
        """Yield what is still under way until nothing is."""
        while any(worker.pair for worker in self._workers):
            yield from self._collect()

    @property
    def under_way(self) -> dict[int, Pair]:
        """The pairs that are being compared now, by process id."""
        return {worker.pid: worker.pair for worker in self._workers if worker.ready and worker.pair}

    def _idle(self) -> _Worker | None:
        return next((worker for worker in self._workers if worker.ready and worker.pair is None), None)

    def _start(self) -> _Worker:
        worker = _Worker(self._program)
        self._workers.append(worker)
        self._selector.register(worker.replies, selectors.EVENT_READ, worker)
        return worker

    def _replace(self, worker: _Worker) -> _Worker:
        self._selector.unregister(worker.replies)
        self._workers.remove(worker)
        return self._start()

    def _collect(self, seconds: float = _POLL_SECONDS) -> Iterator[tuple[Pair, Finding]]:
        for key, _ in self._selector.select(seconds):
            yield from self._heard(key.data)
        for worker in list(self._workers):
            yield from self._checked(worker)

    def _heard(self, worker: _Worker) -> Iterator[tuple[Pair, Finding]]:
        words = worker.hear()
        if not words:
            yield from self._buried(worker)
        for word in words:
            pair = worker.pair
            worker.since = time.monotonic()
            if word == _READY:
                worker.ready = True
            elif pair is not None:
                worker.pair = None
                yield pair, _FINDINGS[word]

    def _buried(self, worker: _Worker) -> Iterator[tuple[Pair, Finding]]:
        """Replace a worker that ended by itself. Its job timed out, or is tried once more, or crashed."""
        if not worker.ready:
            worker.end(kill=False)
            raise VerifierError(
                f"the worker that compares answers does not start: {worker.last_words()}; check the installation"
            )
        fresh = self._replace(worker)
        status = worker.end(kill=False)
        pair = worker.pair
        if pair is None:
            return
        if status == -signal.SIGPROF:
            yield pair, "timeout"
        elif worker.crashes:
            yield pair, "crashed"
        else:
            fresh.give(pair, self._cpu_seconds, crashes=1)

    def _checked(self, worker: _Worker) -> Iterator[tuple[Pair, Finding]]:
        """Kill a worker that holds too much memory, or whose job lasts so long that it cannot be computing."""
        if not worker.ready:
            if worker.overdue(_START_SECONDS):
                raise VerifierError(
                    f"the worker that compares answers did not start in {_START_SECONDS:.0f} s: overloaded?"
                )
            return
        if worker.pair is None:
            return
        late = worker.overdue(WALL_FACTOR * self._cpu_seconds)
        if late or worker.memory() > self._memory_bytes:
            self._replace(worker)
            worker.end()
            yield worker.pair, "timeout" if late else "memory"
