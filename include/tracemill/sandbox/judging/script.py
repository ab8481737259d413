"""What a script of judgement may ask of a worker, and how it keeps the score.

A script is a generator: it yields an Order (or None, to wait for the next event) and is sent (event, data). It returns
the JobVerdict. Scripts hold the expected values; orders carry only the program and its inputs.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracemill.sandbox.base import Job, JobVerdict, Limits, Status, SuiteError
from tracemill.sandbox.languages import Language, by_name
from tracemill.sandbox.languages.blame import is_to_blame

STDERR_CHARACTERS = 2000
NOT_RUN = "not_run"
_LATER_SECONDS = 1.0
GROUP_SECONDS = 1.0  # CPU that a group may burn after its first test, or call, before the one in hand is run alone
_EXIT_MEMORY = 91
_SIGXCPU = -24
_SIGXFSZ = -25

Event = tuple[dict[str, Any], bytes]


@dataclass(frozen=True)
class Order:
    """One message for the worker in `role` ("solution" or "tests"); `seconds` bound the wait for its next event."""

    message: dict[str, Any]
    blob: bytes = b""
    role: str = "solution"
    seconds: float = 60.0


Script = Generator[Order | None, Event, JobVerdict]


class LanguageUnavailable(SuiteError):
    """Nothing here can run the program's language: it shows nothing about the program."""

    cause = "language_unavailable"


class CompilerEnded(SuiteError):
    """The compiler was ended by a limit of ours, or by a fault of its own: it shows nothing about the program."""

    cause = "compiler_ended"


class ProgramLost(Exception):
    """The program's own process in the worker ended without a report: ours, not the program's fault."""


def limits_message(limits: Limits) -> dict[str, Any]:
    """Return the limits as the worker reads them."""
    return {
        "cpu": limits.cpu_seconds,
        "idle": limits.idle_seconds,
        "output": limits.output_bytes,
        "memory": limits.memory_bytes,
        "processes": limits.processes,
    }


def run_order(
    mode: str, parts: Sequence[bytes], cpu: float, cap: int, *, each: float | None = None, rest: float | None = None
) -> tuple[dict[str, Any], bytes]:
    """Return the message and data of one run of `parts` (inputs, or calls) with `cpu` seconds.

    `each`: CPU seconds between two results; `rest`: CPU seconds of all that comes after the first result.
    """
    message = {"order": "run", "mode": mode, "parts": [len(part) for part in parts], "cpu": cpu, "cap": cap}
    return {**message, "each": each, "rest": rest}, b"".join(parts)


def open_order(
    job: Job, limits: Limits, first: tuple[dict[str, Any], bytes], role: str = "solution", **options: Any
) -> Order:
    """Return the order that gives a worker a program, with its first run attached."""
    language = language_of(job)
    source = language.prepare(job.source).encode("utf-8", "surrogatepass")
    message = {
        "order": "open",
        "native": language.order(job.source) if language.native else None,
        "source": len(source),
        "limits": limits_message(limits),
        "fork": limits.allow_fork,
        **options,
    }
    message["first"], data = first
    return Order(message, source + data, role, patience(limits) + 12 * language.build_seconds)


def patience(limits: Limits) -> float:
    """Return how long a worker may be silent: far beyond what it allows a program on a crowded machine."""
    return 25 * (limits.idle_seconds + limits.cpu_seconds) + 60


def language_of(job: Job) -> Language:
    """Return the job's language; raises LanguageUnavailable for one that nothing here can run."""
    language = by_name(job.language)
    if language is None:
        raise LanguageUnavailable(f"{job.language}: programs in this language cannot be run here")
    return language


def build_failure(event: dict[str, Any], source: str = "") -> str | None:
    """Return why a program could not be built, or None when it was; a compiler that died took the program with it.

    Raises LanguageUnavailable where the sandbox has no tool-chain, and CompilerEnded where the compiler was ended and
    nothing in `source` is to blame for it.
    """
    if event.get("event") == "tool_missing":
        raise LanguageUnavailable(f"{event['tool']}: this sandbox has no tool-chain for it")
    if event.get("ended") and not is_to_blame(source):
        raise CompilerEnded(f"the compiler was ended before it could tell: {str(event['reason'])[-300:]}")
    if event.get("event") == "compile_error":
        return str(event["reason"])
    if event.get("event") == "died" and not event["built"]:
        return f"the program cannot be compiled: the compiler ended with {event['exit']}"
    return None


def expect(event: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the event when it is of `kind`; raises ProgramLost otherwise."""
    if event.get("event") != kind:
        raise ProgramLost(str(event.get("reason") or event)[:500])
    return event


def ending(report: dict[str, Any], limits: Limits, seconds: float | None = None) -> Status | None:
    """Return why a run failed by what the kernel reported, or None when it ended well.

    `seconds`: CPU time that it was given, where that was less than the limits allow.
    """
    code = report["exit"]
    if max([0, *report["sizes"], report["stderr_size"]]) >= limits.output_bytes or code == _SIGXFSZ:
        return Status.OUTPUT_LIMIT
    if report["idle"] or code == _SIGXCPU or report["cpu"] > (seconds or limits.cpu_seconds):
        return Status.TIME_LIMIT
    if code == _EXIT_MEMORY or report.get("oom"):
        return Status.MEMORY_LIMIT
    return Status.RUNTIME_ERROR if code != 0 else None


@dataclass
class Board:
    """The score of one job: a status per test, and what the runs cost."""

    tests: list[str]
    cpu: float = 0.0
    wall: float = 0.0
    stderr: str = ""
    reason: str = ""
    timeouts: int = 0
    slow: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, count: int) -> "Board":
        """Return a board of `count` tests, none of them run."""
        return cls([NOT_RUN] * count)

    def charge(self, report: dict[str, Any]) -> None:
        """Add a run's CPU and wall seconds."""
        self.cpu += report["cpu"]
        self.wall += report["wall"]

    def record(self, test: int, status: Status, reason: str = "", stderr: bytes = b"") -> None:
        """Set the status of a test; the first failure's reason and stderr are kept."""
        self.tests[test] = status.value
        self.timeouts = self.timeouts + 1 if status is Status.TIME_LIMIT else 0
        self.slow = self.slow or status is Status.TIME_LIMIT
        if status is not Status.ACCEPTED and not self.reason:
            self.reason = printable(f"test {test}: {reason or status.value.replace('_', ' ')}")
            self.stderr = stderr.decode("utf-8", "replace")[-STDERR_CHARACTERS:]

    def seconds(self, limits: Limits) -> float:
        """Return the CPU seconds that the next test is given alone: fewer once a test was over time."""
        return min(limits.cpu_seconds, _LATER_SECONDS) if self.slow else limits.cpu_seconds

    @staticmethod
    def had_its_time(report: dict[str, Any]) -> bool:
        """Return whether a group that was ended in its first test was ended for time: it had as much as alone."""
        return bool(report["exit"] == _SIGXCPU or report["idle"])

    def spent(self, limits: Limits) -> bool:
        """Return whether the program has used up its tests over time, or its budget."""
        return self.timeouts >= limits.max_timeouts or self.cpu > limits.budget_seconds

    def status(self) -> Status:
        """Return the first status that is not accepted; a budget spent without one is a time limit."""
        failed = [status for status in self.tests if status not in (Status.ACCEPTED, NOT_RUN)]
        if failed:
            return Status(failed[0])
        return Status.TIME_LIMIT if NOT_RUN in self.tests else Status.ACCEPTED

    def verdict(self, job: Job, method: str, trust: str = "high") -> JobVerdict:
        """Return the verdict of a finished (or given up) board."""
        passed = self.tests.count(Status.ACCEPTED)
        tested = len(self.tests)
        status = self.status()
        reason = self.reason
        if not reason and status is Status.TIME_LIMIT:
            reason = "all tests together used more CPU time than one program may"
        detail = {"tests": list(self.tests), "cpu": round(self.cpu, 4), "wall": round(self.wall, 4)}
        detail |= {"stderr": self.stderr, "method": method, "trust": trust, **self.notes}
        return JobVerdict(
            id=job.id, status=status, score=passed / tested, passed=passed, tested=tested, reason=reason, detail=detail
        )


def printable(text: str) -> str:
    """Return `text` such that any table or file can hold it: a program may put half a surrogate pair into a name."""
    return text.encode("utf-8", "replace").decode()


def refusal(job: Job, tested: int, status: Status, reason: str) -> JobVerdict:
    """Return a verdict on a program of which no test was run."""
    reason = printable(reason)
    detail = {"tests": [NOT_RUN] * tested, "cpu": 0.0, "wall": 0.0, "stderr": reason, "method": "none", "trust": "high"}
    return JobVerdict(id=job.id, status=status, score=0, passed=0, tested=tested, reason=reason, detail=detail)


def undecided(verdict: JobVerdict, cause: str, reason: str) -> JobVerdict:
    """Return `verdict` as one that shows nothing either way; `cause` is one word for tables, `reason` a sentence."""
    detail = {**verdict.detail, "cause": cause}
    changed = {"status": Status.UNVERIFIABLE, "score": 0.0, "reason": printable(reason), "detail": detail}
    return verdict.model_copy(update=changed)


def charged(verdict: JobVerdict, other: JobVerdict) -> JobVerdict:
    """Return `verdict` with what another run of the same program cost added to it."""
    cost = {key: round(verdict.detail[key] + other.detail[key], 4) for key in ("cpu", "wall")}
    return verdict.model_copy(update={"detail": {**verdict.detail, **cost}})


def taken_down(job: Job, tested: int, slots: int) -> JobVerdict:
    """Return the verdict on a program that took its worker down each time, on a sandbox that is well otherwise."""
    reason = f"the program took its worker down {slots} times; a harmless program ran well after it"
    verdict = refusal(job, tested, Status.RUNTIME_ERROR, reason)
    return verdict.model_copy(update={"detail": {**verdict.detail, "slots_lost": slots}})
