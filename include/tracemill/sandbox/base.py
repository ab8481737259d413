"""The seam of the sandbox: a job goes in, a verdict comes out, and no program is ever trusted.

A backend is chosen by `SandboxSettings.kind`; all of them give the same verdicts (see conformance.py).
"""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from tracemill.errors import TracemillError
from tracemill.sandbox.comparators import Compare, SuiteError
from tracemill.sandbox.layouts import suite_from
from tracemill.sandbox.suites import AssertSuite, CallSuite, HumanEvalSuite, PytestSuite, StdioSuite, TestSuite

__all__ = [
    "AssertSuite",
    "CallSuite",
    "Compare",
    "HumanEvalSuite",
    "Job",
    "JobVerdict",
    "Limits",
    "PytestSuite",
    "Sandbox",
    "SandboxError",
    "SandboxSettings",
    "SandboxUnavailable",
    "Status",
    "StdioSuite",
    "SuiteError",
    "TestSuite",
    "suite_from",
]


class SandboxError(TracemillError):
    """The sandbox failed on a job twice and on a harmless program after it. Never a verdict; retrying may help."""


class SandboxUnavailable(TracemillError):
    """This machine cannot isolate programs as asked; the text says what to enable."""


class Status(StrEnum):
    """How a program fared: the words of judges everywhere, and that nothing was shown either way.

    An unverifiable verdict says why in one word in `detail["cause"]`, and in a sentence in `reason`.
    """

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    RUNTIME_ERROR = "runtime_error"
    TIME_LIMIT = "time_limit_exceeded"
    MEMORY_LIMIT = "memory_limit_exceeded"
    OUTPUT_LIMIT = "output_limit_exceeded"
    COMPILE_ERROR = "compile_error"
    UNVERIFIABLE = "unverifiable"


class Limits(BaseModel):
    """What one test may use. CPU is judged; `wall_seconds` bounds only time in which the program did not want to run.

    `cpu_seconds` default: LiveCodeBench allows 6 s of wall time per test on its own machines; 4 s of CPU time is as
    generous. `wall_seconds` None: cpu_seconds + 1. `total_cpu_seconds` None: 20 tests at the full limit.
    `max_timeouts`: after so many tests over time in a row the rest is not run (and not passed). After the first of them
    a test is given one CPU second: a program that hangs costs little, and one that hangs once keeps its score.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_seconds: float = Field(default=4.0, gt=0, le=600)
    wall_seconds: float | None = Field(default=None, gt=0)
    total_cpu_seconds: float | None = Field(default=None, gt=0)
    memory_bytes: int = Field(default=512 << 20, ge=16 << 20)  # of a program and all it starts
    output_bytes: int = Field(default=16 << 20, ge=1 << 10, le=64 << 20)  # that a program may print
    processes: int = Field(default=64, ge=1, description="threads and processes at once")
    allow_fork: bool = False  # whether it may start processes
    max_timeouts: int = Field(default=2, ge=1)

    @property
    def idle_seconds(self) -> float:
        """Seconds of wall time that a test may spend neither running nor waiting for a processor."""
        return self.wall_seconds if self.wall_seconds is not None else self.cpu_seconds + 1.0

    @property
    def budget_seconds(self) -> float:
        """CPU seconds that all tests of a program may use together."""
        return self.total_cpu_seconds if self.total_cpu_seconds is not None else 20 * self.cpu_seconds


class Job(BaseModel):
    """One program and what to judge it against. `id` is the caller's and comes back in the verdict.

    `language` is a name of languages/, or one of its tags.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: str
    suite: TestSuite
    language: str = "python"
    limits: Limits | None = None


class JobVerdict(BaseModel):
    """The judgement: `status` of the first test that is not accepted, `score` = passed / tested.

    `detail`: `tests` (a status or "not_run" per test), `cpu`, `wall` (seconds), `stderr` (its tail), `method` (how the
    tests were run), `trust` ("high", or "low" where test and program had to share a process).
    `isolation` is the backend's grade, so that a verdict can be traced to how it was obtained.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: Status
    score: float = Field(ge=0, le=1)
    passed: int
    tested: int
    reason: str = ""
    detail: dict[str, Any] = Field(default_factory=dict)
    isolation: str = ""


class Sandbox(Protocol):
    """An open sandbox. Use it as a context manager; leaving it removes every process, mount and group it made."""

    @property
    def isolation(self) -> str:
        """The grade of isolation in one line of text, as written into every verdict."""
        ...

    def judge(self, jobs: Iterable[Job]) -> Iterator[JobVerdict]:
        """Yield one verdict per job, in order of completion, reading `jobs` as workers become free.

        Raises SandboxError when a job and then a harmless program failed for the sandbox's own fault.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SandboxSettings(BaseModel):
    """How programs are isolated; see `open_sandbox`.

    `kind`: "namespace" (Linux namespaces of its own, needs no daemon) or "docker" (warm containers of `image`).
    `python`: the interpreter whose packages programs may import (namespace only; the image brings its own).
    `memory_bytes`: ceiling of one worker. `runtime`: a Docker runtime such as "runsc" (gVisor). `preload`: modules
    that every program finds imported; `warm`: modules that are imported ahead of a program that asks for them.
    `recycle`: programs after which a worker is replaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["namespace", "docker"] = "namespace"
    workers: int = Field(default=2, ge=1, le=512)  # programs at a time
    limits: Limits = Limits()
    memory_bytes: int = Field(default=768 << 20, ge=64 << 20)
    python: Path = Path(sys.executable)
    preload: tuple[str, ...] = ()
    warm: tuple[str, ...] = ("numpy", "scipy", "pandas", "sympy")
    recycle: int = Field(default=2000, ge=1)
    image: str = "tracemill-sandbox"
    runtime: str | None = None
